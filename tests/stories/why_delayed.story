# a delayed event says until when, by its id; when that is over what it waits for then, where it stands then   [R-WHY-1]
log: auto
w1: hello group=ocr credit=1             -> w1 welcome
w2: hello group=other filters=x.>        -> w2 welcome
g1: publish delay=10s session=s-1        -> g1 accepted e1
a1: query why e1                         -> a1 answer ok ; a1 why e1 ocr delayed attempt=1 until=+10s
a1: query why session=s-1 ; wait 1s      -> a1 answer ok ; a1 why e1 ocr delayed attempt=1
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
w1: hello group=ocr credit=1             -> w1 welcome
a1: query why e1                         -> a1 answer ok ; a1 why e1 ocr delayed attempt=1 until=+9s
wait 9s                                  -> w1 deliver m1 first=e1
a1: query why e1 ; wait 1ms              -> a1 answer ok ; a1 why m1 ocr working worker=w1 attempt=1
w1: ack m1                               -> w1 settled m1
a1: query why e1 ; wait 1ms              -> a1 answer ok ; a1 why m1 ocr settled
a1: query why session=s-1 ; wait 1ms     -> a1 answer ok
