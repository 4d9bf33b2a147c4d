# after a restart a failed event that comes behind another of its key waits for its time all the same   [R-LEASE-5] [R-ORDER-3]
log: auto
w1: hello group=ocr ordering=key credit=9      -> w1 welcome
p1: publish key=a                              -> p1 accepted e1 ; w1 deliver e1
w1: reject e1                                  -> w1 settled e1
a1: manage dead_retry group=ocr e1             -> a1 answer ok count=1 ; w1 deliver m1 attempt=1 first=e1 letter
w1: nack m1 delay=1h                           -> w1 settled m1
p1: publish key=a                              -> p1 accepted e2
p1: publish key=b                              -> p1 accepted e3 ; w1 deliver e3
crash ; restart                                -> log recover
w1: hello group=ocr ordering=key credit=9 holds=e3/1 -> w1 welcome kept=e3/1
wait 10s                                       -> w1 deliver e2
w1: ack e2 e3                                  -> w1 settled e2 ; w1 settled e3
wait 40m                                       -> nothing
wait 20m                                       -> w1 deliver m1 attempt=2 letter
w1: ack m1                                     -> w1 settled m1
