# when a group has as many dead letters as it may, what it gives up next waits as a failed event: nothing is dropped   [R-DEAD-5]
log: auto
w1: hello group=ocr credit=20                  -> w1 welcome
w2: hello group=other credit=20 filters=mail   -> w2 welcome
p1: publish count=5                            -> p1 accepted e1 ; p1 accepted e2 ; p1 accepted e3 ; p1 accepted e4 ; p1 accepted e5 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3 ; w1 deliver e4 ; w1 deliver e5
w1: reject e1 e2 e3 e4 e5 reason=bad           -> w1 settled e1 ; w1 settled e2 ; w1 settled e3 ; w1 settled e4 ; w1 settled e5
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected,e2/1/rejected,e3/1/rejected,e4/1/rejected
a1: query why e5                               -> a1 answer ok ; a1 why e5 ocr dead_letters_full attempt=1
a1: query why e4                               -> a1 answer ok ; a1 why e4 ocr dead
wait 1h                                        -> nothing
# another group has its own room
p1: publish topic=mail                         -> p1 accepted e6 ; w2 deliver e6
w2: reject e6                                  -> w2 settled e6
a1: query dead group=other                     -> a1 answer ok dead=e6/1/rejected
# it waits over a restart, too, and is not delivered
snapshot                                       -> snapshot equal
crash ; restart                                -> log recover
w3: hello group=ocr credit=20                  -> w3 welcome
wait 10s                                       -> nothing
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected,e2/1/rejected,e3/1/rejected,e4/1/rejected
# one dropped makes room for it
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
a1: manage dead_drop group=ocr e2              -> a1 answer ok count=1 ; a1 event s1 m1 cause=e5 reason=rejected error=rejected copy=e5
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected,e3/1/rejected,e4/1/rejected,e5/1/rejected
snapshot                                       -> snapshot equal
# what is retried and fails again has its room: it does not wait behind what has none   [R-DEAD-5]
p1: publish                                    -> p1 accepted e7 ; w3 deliver e7
w3: reject e7                                  -> w3 settled e7
a1: query why e7                               -> a1 answer ok ; a1 why e7 ocr dead_letters_full
a1: manage dead_retry group=ocr                -> a1 answer ok count=4 ; w3 deliver m1 first=e5 ; 3x w3 deliver attempt=1
w3: reject m1                                  -> w3 settled m1 ; a1 event s1 cause=e5 reason=rejected
a1: manage dead_drop group=ocr e5              -> a1 answer ok count=1 ; a1 event s1 cause=e7 reason=rejected
