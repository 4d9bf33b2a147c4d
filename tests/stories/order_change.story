# the order of a group changes while nothing is at work; what was parked is read again   [R-CHANGE-1] [R-ORDER-1]
log: auto
w1: hello group=ocr ordering=key credit=20 -> w1 welcome
g1: publish key=a                         -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a                         -> g1 accepted e2
g1: publish key=b                         -> g1 accepted e3 ; w1 deliver e3
g1: publish key=a session=s               -> g1 accepted e4
a1: manage group_set group=ocr ordering=none -> a1 answer conflict
a1: manage group_pause group=ocr          -> a1 answer ok
w1: ack e1 e3                             -> w1 settled e1 ; w1 settled e3
g1: publish key=a session=s               -> g1 accepted e5
a1: manage group_set group=ocr ordering=session -> a1 answer ok
a1: manage group_resume group=ocr         -> a1 answer ok ; w1 deliver e2 ; w1 deliver e4
w1: ack e2                                -> w1 settled e2
w1: ack e4                                -> w1 settled e4 ; w1 deliver e5
w1: ack e5                                -> w1 settled e5
snapshot                                  -> snapshot equal
wait 1h                                   -> nothing
