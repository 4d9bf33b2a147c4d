# what was not committed was not accepted; what came due and was not committed comes due again   [R-DELAY-2] P2
w1: hello group=ocr credit=9             -> log block=1
log: committed 1                         -> w1 welcome
p1: publish delay=10s                    -> log block=2
p1: publish delay=10s                    -> nothing
log: committed 2                         -> p1 accepted e1 ; log block=3
crash ; restart                          -> log recover blocks=2
w1: hello group=ocr credit=9             -> w1 welcome
wait 10s                                 -> log block=3
crash ; restart                          -> log recover blocks=2
log: auto
w1: hello group=ocr credit=9             -> w1 welcome ; w1 deliver m1 first=e1
