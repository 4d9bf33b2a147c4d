# a dead letter lets its key go once it is committed; retried, it waits for its key as others do, also after a restart   [R-ORDER-2] [R-DEAD-1] [R-DEAD-4]
log: auto
w1: hello group=ocr ordering=key max_deliveries=1 credit=20 -> w1 welcome
g1: publish key=a                         -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a                         -> g1 accepted e2
w1: nack e1                               -> w1 settled e1 ; w1 deliver e2
g1: publish key=a                         -> g1 accepted e3
a1: manage dead_retry group=ocr e1        -> a1 answer ok
wait 1s                                   -> nothing
w1: ack e2                                -> w1 settled e2 ; w1 deliver e3
w1: ack e3                                -> w1 settled e3 ; w1 deliver m1 attempt=1 first=e1
g1: publish key=a                         -> g1 accepted e4
crash ; restart                           -> log recover
w1: hello group=ocr ordering=key credit=20 holds=m1/1 -> w1 welcome kept=m1/1
wait 10s                                  -> nothing
w1: ack m1                                -> w1 settled m1 ; w1 deliver e4 attempt=1
w1: ack e4                                -> w1 settled e4
wait 1h                                   -> nothing
