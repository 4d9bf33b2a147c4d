# parked events that leave the window are lost with it, and the others of their key go on   [R-ORDER-4] [R-GROUP-3]
log: auto
a1: subscribe s1 filter=$sys.group.lost   -> a1 subscribed s1 ; a1 caught_up s1
w1: hello group=ocr ordering=key credit=20 -> w1 welcome
g1: publish key=a                         -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a count=2                 -> g1 accepted e2 ; g1 accepted e3
g1: publish key=a                         -> g1 accepted e4
log: trim e4                              -> a1 event s1 m1
w1: ack e1                                -> w1 settled e1 ; w1 deliver e4
w1: ack e4                                -> w1 settled e4
wait 1h                                   -> nothing
