# a seek back: what was on loan is stale, failures and settles are forgotten, all from there on comes again   [R-CHANGE-4]
log: auto
w1: hello group=ocr credit=4             -> w1 welcome
g1: publish count=4                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3 ; w1 deliver e4
w1: ack e1                               -> w1 settled e1
w1: nack e2 delay=1h                     -> w1 settled e2
w1: release e4                           -> nothing
a1: manage group_seek group=ocr start=first -> a1 answer ok ; w1 revoke e3 stale
w1: ack e3 emit=docs.out                 -> w1 stale e3
w1: credit deliver=8                     -> w1 deliver e1 attempt=1 generation=2 ; w1 deliver e2 attempt=1 ; w1 deliver e3 attempt=1 ; w1 deliver e4 attempt=1
w1: ack e1 e2                            -> w1 settled e1 ; w1 settled e2
snapshot                                 -> snapshot equal
# the settles of the life before say nothing about this one, also after a restart; a worker does not keep what it held before
crash ; restart                          -> log recover
w1: hello group=ocr credit=9 holds=e3/1,e4/1 generation=1 -> w1 welcome generation=2
crash ; restart                          -> log recover
w1: hello group=ocr credit=9 holds=e3/1,e4/1 generation=2 -> w1 welcome kept=e3/1,e4/1
w2: hello group=ocr credit=9             -> w2 welcome
wait 10s                                 -> nothing
w1: ack e3 e4                            -> w1 settled e3 ; w1 settled e4
# forward: what lies between is passed over
a1: manage group_pause group=ocr         -> a1 answer ok
g1: hello                                -> g1 welcome
g1: publish count=3                      -> g1 accepted e5 ; g1 accepted e6 ; g1 accepted e7
a1: manage group_seek group=ocr start=e6 -> a1 answer ok
a1: manage group_resume group=ocr        -> a1 answer ok ; w1 deliver e7 attempt=1
a1: manage group_seek group=ocr start=new -> a1 answer ok ; w1 revoke e7 stale
a1: manage group_seek group=ocr start=e6 epoch=fedcba9876543210 -> a1 answer gone
wait 1h                                  -> nothing
# to a time; it is answered when that is found
wait 10s                                 -> nothing
g1: publish                              -> g1 accepted e8 ; w2 deliver e8
w2: ack e8                               -> w2 settled e8
a1: manage group_seek group=ocr ago=5s ; wait 100ms -> a1 answer ok ; w1 deliver e8 attempt=1
