# what a worker rejects is a dead letter at once, with the worker's reason   [R-DEAD-3]
log: auto
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
g1: subscribe s1 filter=$inbox.c1              -> g1 subscribed s1 ; g1 caught_up s1
w1: hello group=ocr credit=4                   -> w1 welcome
g1: publish                                    -> g1 accepted e1 ; w1 deliver e1 attempt=1
w1: reject e1 reason=no_such_page              -> w1 settled e1 ; a1 event s1 m1 cause=e1 reason=rejected attempts=1 error=no_such_page worker=w1 copy=e1
# but a request whose requester is told is over
g1: publish reply_to=$inbox.c1                 -> g1 accepted e2 ; w1 deliver e2 attempt=1
w1: reject e2 emit=$inbox.c1 reply=error       -> w1 settled e2 ; g1 event s1 m2 cause=e2
# one whose requester is not is a dead letter, and so is what only looks answered
g1: publish reply_to=$inbox.c1                 -> g1 accepted e3 ; w1 deliver e3 attempt=1
w1: reject e3 emit=$inbox.c1                   -> w1 settled e3 ; g1 event s1 m3 cause=e3 ; a1 event s1 m4 cause=e3 reason=rejected error=rejected copy=e3
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected,e3/1/rejected
