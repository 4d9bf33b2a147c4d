# a delayed event outlives the window: it is written again before its block goes   [R-DELAY-2] P1
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
p1: publish delay=60s count=2            -> p1 accepted e1 ; p1 accepted e2
p1: publish                              -> p1 accepted e3 ; w1 deliver e3
w1: ack e3                               -> w1 settled e3
p1: publish                              -> p1 accepted e4 ; w1 deliver e4
w1: ack e4                               -> w1 settled e4
log: trim e4                             -> nothing
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
snapshot                                 -> snapshot equal
w1: hello group=ocr credit=9             -> w1 welcome
wait 60s                                 -> w1 deliver m1 first=e1 ; w1 deliver m2 first=e2
w1: ack m1 m2                            -> w1 settled m1 ; w1 settled m2
# the window does not wait for what is not held any more
p1: publish                              -> p1 accepted e5 ; w1 deliver e5
log: trim e5                             -> nothing
snapshot                                 -> snapshot equal
