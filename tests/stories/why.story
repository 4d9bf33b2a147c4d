# what an event waits for, in each group that takes it, and since when   [R-WHY-1]
log: auto
w1: hello group=ocr credit=1  -> w1 welcome
w2: hello group=idle                     -> w2 welcome
w2: gone                                 -> nothing
w3: hello group=other filters=x.>        -> w3 welcome
g1: publish session=s-1                  -> g1 accepted e1 ; w1 deliver e1
g1: publish session=s-1                  -> g1 accepted e2
wait 2s                                  -> nothing
a1: query why e1                         -> a1 answer ok ; a1 why e1 ocr working attempt=1 worker=w1 since=-2s until=+28s ; a1 why e1 idle no_worker since=-2s
a1: query why e2                         -> a1 answer ok ; a1 why e2 ocr no_credit since=-2s ; a1 why e2 idle no_worker
w1: nack e1 delay=1h                     -> w1 settled e1
w1: credit deliver=2                     -> w1 deliver e2
a1: query why e1                         -> a1 answer ok ; a1 why e1 ocr back_off attempt=2 until=+3600s ; a1 why e1 idle no_worker
w1: ack e2                               -> w1 settled e2
a1: query why e2                         -> a1 answer ok ; a1 why e2 ocr settled ; a1 why e2 idle no_worker
# a session: its newest events that are not settled everywhere
g1: publish session=s-2                  -> g1 accepted e3
a1: query why session=s-1 ; wait 100ms   -> a1 answer ok ; a1 why e1 ocr back_off ; a1 why e1 idle no_worker ; a1 why e2 ocr settled ; a1 why e2 idle no_worker
a1: query why session=s-9 ; wait 100ms   -> a1 answer ok
# paused, then away with a worker that has to come back
a1: manage group_pause group=ocr         -> a1 answer ok
wait 3s                                  -> nothing
a1: query why e3                         -> a1 answer ok ; a1 why e3 ocr paused since=-3s ; a1 why e3 idle no_worker
a1: manage group_resume group=ocr        -> a1 answer ok
w1: credit deliver=3                     -> w1 deliver e3
crash ; restart                          -> log recover
w1: hello group=ocr credit=0             -> w1 welcome
a1: query why e3                         -> a1 answer ok ; a1 why e3 ocr adoption until=+5s ; a1 why e3 idle no_worker
# what is not there
a1: query why e99                        -> a1 answer bad_request
a1: query why nothing                    -> a1 answer bad_request
