# until the commit of what came when it was due a crash brings it back: so long the window keeps its first place   [R-DELAY-2] P1
w1: hello group=ocr credit=9             -> log block=1
log: committed 1                         -> w1 welcome
p1: publish delay=10s                    -> log block=2
log: committed 2                         -> p1 accepted e1
p1: publish                              -> log block=3
log: committed 3                         -> p1 accepted e2 ; w1 deliver e2
w1: ack e2                               -> log block=4
log: committed 4                         -> w1 settled e2
wait 10s                                 -> log block=5
log: trim e2                             -> log kept
crash ; restart                          -> log recover blocks=4
log: auto
w1: hello group=ocr credit=9             -> w1 welcome ; w1 deliver m1 first=e1
w1: ack m1                               -> w1 settled m1
log: trim e2                             -> nothing
snapshot                                 -> snapshot equal
