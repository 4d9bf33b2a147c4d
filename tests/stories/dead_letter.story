# an event that was delivered max_deliveries times goes to $dlq.GROUP, whole, with what is known of it   [R-DEAD-1] [R-DEAD-2] [R-DEAD-4]
log: auto
a1: subscribe s1 filter=$dlq.>                 -> a1 subscribed s1 ; a1 caught_up s1
w1: hello group=ocr credit=4 max_deliveries=2  -> w1 welcome
p1: publish topic=docs.a key=k body=40 ttl=1h  -> p1 accepted e1 ; w1 deliver e1 attempt=1
w1: nack e1 reason=first                       -> w1 settled e1
w1: credit deliver=8
wait 2s                                        -> w1 deliver e1 attempt=2
w1: nack e1 reason=too_dark                    -> w1 settled e1 ; a1 event s1 m1 cause=e1 reason=max_deliveries attempts=2 error=too_dark worker=w1 copy=e1
a1: query dead group=ocr                       -> a1 answer ok dead=e1/2/max_deliveries
w1: nack e1 lease_of=w1                        -> w1 stale e1
wait 1h                                        -> nothing

# the block that has the letter has the settle: after it the next event of the group is all there is
crash ; restart                                -> log recover
w2: hello group=ocr credit=4 max_deliveries=2  -> w2 welcome max_deliveries=2
p1: hello unanswered=2                         -> p1 welcome
p1: publish                                    -> p1 accepted e2 ; w2 deliver e2 attempt=1
wait 10s                                       -> nothing
a1: query dead group=ocr                       -> a1 answer ok dead=e1/2/max_deliveries
snapshot                                       -> snapshot equal

# a lease that runs out counts like a nack
wait 2m                                        -> w2 revoke e2 timeout ; w2 deliver e2 attempt=2 ; w2 revoke e2 timeout
a1: query dead group=ocr                       -> a1 answer ok dead=e1/2/max_deliveries,e2/2/max_deliveries
