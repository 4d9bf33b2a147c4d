# an event that left the window while it was on loan lets its key go when its lease fails   [R-ORDER-2] [R-GROUP-3]
log: auto
w1: hello group=ocr ordering=key credit=9 -> w1 welcome
g1: publish key=a                         -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a                         -> g1 accepted e2
log: trim e2                              -> nothing
w1: nack e1                               -> w1 settled e1 ; w1 deliver e2
w1: ack e2                                -> w1 settled e2
wait 1h                                   -> nothing
