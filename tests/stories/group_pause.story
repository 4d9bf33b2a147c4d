# while a group is paused nothing goes out, what is out may be settled; resumed, it goes on   [R-CHANGE-3] [R-MANAGE-1]
log: auto
w1: hello group=ocr credit=2             -> w1 welcome
g1: publish count=3                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1 ; w1 deliver e2
a1: manage group_pause group=ocr         -> a1 answer ok
a1: manage group_pause group=ocr         -> a1 answer ok
w1: nack e1 delay=1s                     -> w1 settled e1
w1: ack e2                               -> w1 settled e2
w1: credit deliver=9                     -> nothing
wait 10s                                 -> nothing
g1: publish                              -> g1 accepted e4
# a pause outlives a restart, and stands in a snapshot
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
a1: manage group_pause group=ocr         -> a1 answer ok
w1: hello group=ocr credit=9             -> w1 welcome
wait 10s                                 -> nothing
a1: manage group_resume group=ocr        -> a1 answer ok ; w1 deliver e3 attempt=2 ; w1 deliver e4 attempt=1 ; w1 deliver e1 attempt=3
a1: manage group_pause group=none        -> a1 answer not_found
