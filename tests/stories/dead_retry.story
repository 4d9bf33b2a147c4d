# an admin has dead letters delivered again: the event as it was, under its old id, at the letter's place   [R-DEAD-4] [R-DELIV-2]
log: auto
w1: hello group=ocr credit=9 max_deliveries=1  -> w1 welcome
p1: publish key=a count=2                      -> p1 accepted e1 ; p1 accepted e2 ; w1 deliver e1 ; w1 deliver e2
w1: nack e1 e2                                 -> w1 settled e1 ; w1 settled e2
a1: manage dead_retry group=ocr e3             -> a1 answer not_found
a1: manage dead_retry group=other              -> a1 answer not_found
a1: manage dead_retry group=ocr e1 epoch=fffff -> a1 answer not_found
p1: manage dead_retry group=ocr e1             -> p1 answer forbidden
a1: manage dead_retry group=ocr e1             -> a1 answer ok count=1 ; w1 deliver m1 attempt=1 first=e1
# it is in the hands of a worker: not to be retried or dropped now
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/max_deliveries/retried,e2/1/max_deliveries
a1: manage dead_retry group=ocr e1             -> a1 answer conflict
a1: manage dead_drop group=ocr e1              -> a1 answer conflict
# what it leads to has the event as its cause; then the letter is over
a1: subscribe s1 filter=out                    -> a1 subscribed s1 ; a1 caught_up s1
w1: ack m1 emit=out                            -> w1 settled m1 ; a1 event s1 m2 cause=e1
a1: query dead group=ocr                       -> a1 answer ok dead=e2/1/max_deliveries
# all of them; one that fails for good again is a new letter, of the same event
a1: manage dead_retry group=ocr                -> a1 answer ok count=1 ; w1 deliver m3 attempt=1 first=e2
a1: subscribe s2 filter=$dlq.ocr               -> a1 subscribed s2 ; a1 caught_up s2
w1: nack m3 reason=again                       -> w1 settled m3 ; a1 event s2 m4 cause=e2 reason=max_deliveries attempts=1 error=again worker=w1 copy=e2
a1: query dead group=ocr                       -> a1 answer ok dead=e2/1/max_deliveries
snapshot                                       -> snapshot equal
a1: manage dead_drop group=ocr                 -> a1 answer ok count=1
a1: query dead group=ocr                       -> a1 answer ok
a1: manage dead_drop group=ocr                 -> a1 answer ok count=0
wait 1h                                        -> nothing
snapshot                                       -> snapshot equal
