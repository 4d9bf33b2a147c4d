# a group with workers is not deleted; without, it goes with all it had   [R-CHANGE-5]
log: auto
w1: hello group=ocr credit=2             -> w1 welcome
w2: hello group=b credit=9               -> w2 welcome
g1: publish count=2                      -> g1 accepted e1 ; g1 accepted e2 ; w1 deliver e1 ; w1 deliver e2 ; w2 deliver e1 ; w2 deliver e2
w1: nack e2 delay=1h                     -> w1 settled e2
a1: manage group_delete group=ocr        -> a1 answer conflict
w1: gone                                 -> nothing
a1: manage group_delete group=ocr        -> a1 answer ok
a1: manage group_delete group=ocr        -> a1 answer not_found
g1: publish                              -> g1 accepted e3 ; w2 deliver e3
w2: ack e1 e2 e3                         -> w2 settled e1 ; w2 settled e2 ; w2 settled e3
snapshot                                 -> snapshot equal
# made again it is another: it begins where it is told to, and keeps nothing of the one before
w1: hello group=ocr credit=9 holds=e1/1  -> w1 welcome
wait 2h                                  -> nothing
g1: publish                              -> g1 accepted e4 ; w1 deliver e4 attempt=1 ; w2 deliver e4
w1: ack e4                               -> w1 settled e4
w2: ack e4                               -> w2 settled e4
# also when it all happens in one block, and over a restart
w1: gone                                 -> nothing
a1: manage group_delete group=ocr        -> a1 answer ok
w1: hello group=ocr credit=9 start=first -> w1 welcome ; w1 deliver e1 attempt=1 ; w1 deliver e2 attempt=1 ; w1 deliver e3 attempt=1 ; w1 deliver e4 attempt=1
w1: ack e1                               -> w1 settled e1
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
w1: hello group=ocr credit=9 holds=e2/1,e3/1,e4/1 -> w1 welcome kept=e2/1,e3/1,e4/1
w1: ack e2 e3 e4                         -> w1 settled e2 ; w1 settled e3 ; w1 settled e4
wait 1h                                  -> nothing
