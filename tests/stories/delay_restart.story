# exactly once into the order, over restarts and snapshots, also when its time came meanwhile   [R-DELAY-2] P1 P9
log: auto
w1: hello group=ocr credit=0             -> w1 welcome
p1: publish delay=60s                    -> p1 accepted e1
p1: publish delay=90s token=t            -> p1 accepted e2
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
snapshot                                 -> snapshot equal
w1: hello group=ocr credit=9             -> w1 welcome
p1: publish delay=90s token=t            -> p1 accepted e2 duplicate
wait 60s                                 -> w1 deliver m1 first=e1
w1: ack m1                               -> w1 settled m1
crash ; wait 60s ; restart               -> log recover
wait 1ms                                 -> nothing
w2: hello group=ocr credit=9             -> w2 welcome ; w2 deliver m2 first=e2
w2: ack m2                               -> w2 settled m2
snapshot                                 -> snapshot equal
wait 10m                                 -> nothing
