# a lease lasts lease_ms from its sending, or from the last extend; the group may have another time   [R-LEASE-1] [R-LEASE-2]
log: auto
w1: hello group=ocr credit=1             -> w1 welcome
w2: hello group=quick lease=2s credit=1  -> w2 welcome
g1: publish                              -> g1 accepted e1 ; w1 deliver e1 ; w2 deliver e1
wait 1900ms                              -> nothing
wait 200ms                               -> w2 revoke e1 timeout
wait 20s                                 -> nothing
w1: extend e1                            -> nothing
wait 29s                                 -> nothing
w1: extend e1 for=2h                     -> nothing
wait 59m                                 -> nothing
wait 2m                                  -> w1 revoke e1 timeout
