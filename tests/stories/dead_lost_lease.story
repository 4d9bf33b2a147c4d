# what a worker still holds of an event that has left the window is about that event alone   [R-GROUP-3] [R-DEAD-4]
log: auto
w1: hello group=ocr credit=9 backoff=1s        -> w1 welcome
p1: publish                                    -> p1 accepted e1 ; w1 deliver e1
w1: nack e1                                    -> w1 settled e1
wait 5s                                        -> w1 deliver e1 attempt=2
p1: publish                                    -> p1 accepted e2 ; w1 deliver e2
w1: reject e2                                  -> w1 settled e2
log: trim e2                                   -> nothing
a1: manage dead_retry group=ocr e2             -> a1 answer ok count=1 ; w1 deliver m1 attempt=1 first=e2 letter
w1: ack e1                                     -> w1 settled e1
a1: query dead group=ocr                       -> a1 answer ok dead=e2/1/rejected/retried
w1: ack m1                                     -> w1 settled m1
a1: query dead group=ocr                       -> a1 answer ok
snapshot                                       -> snapshot equal
