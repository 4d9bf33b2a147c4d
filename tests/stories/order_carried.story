# a dead letter that is retried and waits for its key outlives the window: it is written again, and waits behind those of its key that stand before its new place   [R-DEAD-6] [R-ORDER-1]
log: auto
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
w1: hello group=ocr ordering=key credit=20 lease=1h -> w1 welcome
p1: publish key=a                              -> p1 accepted e1 ; w1 deliver e1
w1: reject e1 reason=bad                       -> w1 settled e1 ; a1 event s1 m1 cause=e1 copy=e1
p1: publish topic=mail count=2                 -> p1 accepted e2 ; p1 accepted e3
p1: publish key=a                              -> p1 accepted e4 ; w1 deliver e4
a1: manage dead_retry group=ocr e1             -> a1 answer ok count=1
p1: publish key=a                              -> p1 accepted e5
log: trim e3                                   -> a1 event s1 m2 cause=e1 first=m1 reason=rejected copy=e1
snapshot                                       -> snapshot equal
crash ; restart                                -> log recover
w1: hello group=ocr ordering=key credit=20 lease=1h holds=e4/1 -> w1 welcome kept=e4/1
w1: ack e4                                     -> w1 settled e4 ; w1 deliver e5
w1: ack e5                                     -> w1 settled e5 ; w1 deliver m2 attempt=1 first=e1
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
# what holds its key and is carried holds it from its new place
w1: nack m2 delay=60s                          -> w1 settled m2
p1: publish topic=mail count=2                 -> p1 accepted e6 ; p1 accepted e7
p1: publish key=a                              -> p1 accepted e8
log: trim e7                                   -> a1 event s1 m3 cause=e1 first=m1 copy=e1
a1: query why e8                               -> a1 answer ok ; a1 why e8 ocr key by=m3
wait 61s                                       -> w1 deliver m3 attempt=2 first=e1
w1: ack m3                                     -> w1 settled m3 ; w1 deliver e8 attempt=1
w1: ack e8                                     -> w1 settled e8
a1: query dead group=ocr                       -> a1 answer ok
snapshot                                       -> snapshot equal
