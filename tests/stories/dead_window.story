# what must outlive the window is written again before it goes: a dead letter, in whatever state, and a delayed event   [R-DEAD-6]
log: auto
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
w1: hello group=ocr credit=20 max_deliveries=2 lease=1h -> w1 welcome
p1: publish count=2                            -> p1 accepted e1 ; p1 accepted e2 ; w1 deliver e1 ; w1 deliver e2
p1: publish delay=2h                           -> p1 accepted e3
w1: reject e1 e2 reason=bad                    -> w1 settled e1 ; w1 settled e2 ; a1 event s1 m1 cause=e1 copy=e1 ; a1 event s1 m2 cause=e2 copy=e2
a1: manage dead_retry group=ocr e2             -> a1 answer ok count=1 ; w1 deliver m2 attempt=1 first=e2
p1: publish topic=mail count=2                 -> p1 accepted e4 ; p1 accepted e5
# the one that is with a worker is waited for
log: trim e5                                   -> a1 event s1 m3 cause=e1 first=m1 reason=rejected error=bad worker=w1 copy=e1 ; log kept
w1: nack m2 delay=1h                           -> w1 settled m2 ; a1 event s1 m4 cause=e2 first=m2 copy=e2
log: trim e5                                   -> nothing
snapshot                                       -> snapshot equal
crash ; restart                                -> log recover
w2: hello group=ocr credit=20 max_deliveries=2 lease=1h -> w2 welcome
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected,e2/1/rejected/retried
a1: manage dead_retry group=ocr e1             -> a1 answer ok count=1
wait 6s                                        -> w2 deliver m3 attempt=1 first=e1
w2: ack m3                                     -> w2 settled m3
# the failed one comes from its new place, the delayed one when it is due
wait 61m                                       -> w2 deliver m4 attempt=2 first=e2
w2: ack m4                                     -> w2 settled m4
a1: query dead group=ocr                       -> a1 answer ok
wait 1h                                        -> w2 deliver m5 attempt=1 first=e3
w2: ack m5                                     -> w2 settled m5
snapshot                                       -> snapshot equal
