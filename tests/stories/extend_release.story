# extend moves the deadline; an ended lease is revoked   [R-LEASE-2]
log: auto
w1: hello group=ocr credit=2             -> w1 welcome
g1: publish                              -> g1 accepted e1 ; w1 deliver e1 attempt=1
w1: extend e1 for=60s                    -> nothing
wait 50s                                 -> nothing
w1: ack e1                               -> w1 settled e1
w1: extend e1                            -> w1 revoke e1 stale
# a released delivery goes out again with the same attempt   [R-LEASE-4]
w2: hello group=ocr credit=1             -> w2 welcome
g1: publish                              -> g1 accepted e2 ; w1 deliver e2 attempt=1
w1: release e2                           -> w2 deliver e2 attempt=1
w1: ack e2                               -> w1 stale e2
w2: ack e2                               -> w2 settled e2
