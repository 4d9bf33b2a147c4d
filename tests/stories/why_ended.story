# what became of an event, as far as the tables tell: a dead letter and why, a letter that goes out again, else settled   [R-WHY-1]
log: auto
w1: hello group=ocr max_deliveries=1 credit=4 -> w1 welcome
a1: subscribe s1 filter=$dlq.ocr         -> a1 subscribed s1 ; a1 caught_up s1
g1: publish count=3                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3
w1: ack e1                               -> w1 settled e1
w1: reject e2                            -> w1 settled e2 ; a1 event s1 m1 cause=e2 reason=rejected
w1: nack e3                              -> w1 settled e3 ; a1 event s1 m2 cause=e3 reason=max_deliveries
a1: query why e1                         -> a1 answer ok ; a1 why e1 ocr settled
a1: query why e2                         -> a1 answer ok ; a1 why e2 ocr dead by=m1 attempt=1 reason=rejected
a1: query why e3                         -> a1 answer ok ; a1 why e3 ocr dead by=m2 attempt=1 reason=max_deliveries
# a letter that is retried waits, or is worked on, at its own place
a1: manage dead_retry group=ocr          -> a1 answer ok count=2 ; w1 deliver m1 first=e2
a1: query why e2                         -> a1 answer ok ; a1 why m1 ocr working attempt=1 worker=w1
a1: query why e3                         -> a1 answer ok ; a1 why m2 ocr no_credit attempt=1
w1: ack m1                               -> w1 settled m1
a1: query why e2                         -> a1 answer ok ; a1 why e2 ocr settled
a1: manage dead_drop group=ocr           -> a1 answer ok
# an at_most_once event waits for nothing: it was offered at once, or to nobody
w2: hello group=mail filters=mail.> credit=1 -> w2 welcome
g1: publish topic=mail.1 at_most_once    -> w2 deliver e4 ; g1 accepted e4
a1: query why e4                         -> a1 answer ok ; a1 why e4 mail working worker=w2
w2: nack e4                              -> w2 settled e4
a1: query why e4                         -> a1 answer ok ; a1 why e4 mail settled
