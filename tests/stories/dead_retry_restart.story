# a dead letter that was delivered again and settled is nobody's after a crash, though its worker had no answer   [R-ADOPT-1] [R-DEAD-4]
log: auto
w1: hello group=ocr credit=9 max_deliveries=1  -> w1 welcome
w2: hello group=ocr credit=9 max_deliveries=1  -> w2 welcome
p1: publish count=2                            -> p1 accepted e1 ; p1 accepted e2 ; w1 deliver e1 ; w2 deliver e2
w2: nack e2                                    -> w2 settled e2
a1: manage dead_retry group=ocr e2             -> a1 answer ok count=1 ; w1 deliver m1 attempt=1 first=e2 letter
w1: ack m1 emit=out                            -> w1 settled m1
p1: publish                                    -> p1 accepted e3 ; w2 deliver e3
crash ; restart                                -> log recover
w1: hello group=ocr credit=9 max_deliveries=1 holds=m1/1 first=e2 letters -> w1 welcome
w1: ack m1 emit=out                            -> w1 stale m1
