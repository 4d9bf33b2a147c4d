# a dead letter takes the parts of its event along when the window is about to drop it, or only them   [R-DEAD-6] [R-PART-9]
log: auto
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
w1: hello group=ocr credit=20 bytes=10000000   -> w1 welcome
p1: parts of=3                                 -> nothing
p1: publish topic=mail                         -> p1 accepted e2
p1: publish number=1 body=0                    -> p1 accepted e1 ; w1 part e1 0/3 ; w1 part e1 1/3 ; w1 part e1 2/3 ; w1 deliver e1 attempt=1
w1: reject e1 reason=bad                       -> w1 settled e1 ; a1 event s1 m1 cause=e1 reason=rejected
# its letter stands behind this place, its parts before it
log: trim e2                                   -> a1 event s1 m2 cause=e1 first=m1 reason=rejected error=bad worker=w1
p1: publish topic=mail count=2                 -> p1 accepted e3 ; p1 accepted e4
log: trim e4                                   -> a1 event s1 m3 cause=e1 first=m1 reason=rejected error=bad worker=w1
snapshot                                       -> snapshot equal
crash ; restart                                -> log recover
w1: hello group=ocr credit=20 bytes=10000000   -> w1 welcome
p2: publish topic=mail count=2                 -> p2 accepted e5 ; p2 accepted e6
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
log: trim e6                                   -> a1 event s1 m4 cause=e1 first=m1 reason=rejected error=bad worker=w1
a1: manage dead_retry group=ocr e1             -> a1 answer ok count=1 ; w1 part m4 0/3 ; w1 part m4 1/3 ; w1 part m4 2/3 ; w1 deliver m4 attempt=1 first=e1
# while it is with a worker the window waits for it
p2: publish topic=mail count=2                 -> p2 accepted e7 ; p2 accepted e8
log: trim e8                                   -> log kept
w1: nack m4 delay=5s                           -> w1 settled m4 ; a1 event s1 m5 cause=e1 first=m1
wait 6s                                        -> w1 part m5 0/3 ; w1 part m5 1/3 ; w1 part m5 2/3 ; w1 deliver m5 attempt=2 first=e1
w1: ack m5                                     -> w1 settled m5
a1: query dead group=ocr                       -> a1 answer ok
snapshot                                       -> snapshot equal
# a crash while it is carried: it is carried once more
p2: parts of=6 last=3                          -> nothing
p2: parts number=5 of=6 first=4                -> nothing
p2: publish number=5 body=0                    -> p2 accepted e9 ; w1 part e9 0/6 ; w1 part e9 1/6 ; w1 part e9 2/6 ; w1 part e9 3/6 ; w1 part e9 4/6 ; w1 part e9 5/6 ; w1 deliver e9
w1: reject e9                                  -> w1 settled e9 ; a1 event s1 m6 cause=e9
p2: publish topic=mail                         -> p2 accepted e10
turns single                                   -> nothing
log: trim e10                                  -> log kept
crash ; restart ; turns all                    -> log recover
w1: hello group=ocr credit=20 bytes=10000000   -> w1 welcome
a1: subscribe s1 filter=$dlq.ocr since=m6      -> a1 subscribed s1 ; a1 event s1 m7 cause=e9 first=m6 ; a1 caught_up s1
log: trim e10                                  -> nothing
a1: manage dead_retry group=ocr e9             -> a1 answer ok count=1
wait 6s                                        -> w1 part m7 0/6 ; w1 part m7 1/6 ; w1 part m7 2/6 ; w1 part m7 3/6 ; w1 part m7 4/6 ; w1 part m7 5/6 ; w1 deliver m7 attempt=1 first=e9
w1: ack m7                                     -> w1 settled m7
snapshot                                       -> snapshot equal
