# in the order in which they are due, those of one time in that of their acceptance   [R-DELAY-2]
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
p1: publish not_before=1060s key=a       -> p1 accepted e1
p1: publish not_before=1030s key=b       -> p1 accepted e2
p1: publish not_before=1060s key=c       -> p1 accepted e3
p1: publish not_before=1060s key=d       -> p1 accepted e4
crash ; restart                          -> log recover
w1: hello group=ocr credit=9             -> w1 welcome
wait 30s                                 -> w1 deliver m1 first=e2
w1: ack m1                               -> w1 settled m1
wait 30s                                 -> w1 deliver m2 first=e1 ; w1 deliver m3 first=e3 ; w1 deliver m4 first=e4
