# ordering by group: one event is out, of a priority; what it fails it gets again before the others   [R-ORDER-1]
log: auto
w1: hello group=ocr ordering=group credit=20 -> w1 welcome
w2: hello group=ocr ordering=group credit=20 -> w2 welcome
g1: publish count=3                       -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1
w1: nack e1 delay=1s                      -> w1 settled e1
wait 2s                                   -> w2 deliver e1 attempt=2
crash ; restart                           -> log recover
w1: hello group=ocr ordering=group credit=20 -> w1 welcome
w2: hello group=ocr ordering=group credit=20 holds=e1/2 -> w2 welcome kept=e1/2
w2: ack e1                                -> w2 settled e1 ; w1 deliver e2 attempt=1
# the order holds within a priority: others do not wait for it
g1: publish priority=3 count=2            -> g1 accepted e4 ; g1 accepted e5 ; w2 deliver e4
w1: ack e2                                -> w1 settled e2 ; w1 deliver e3
w2: ack e4                                -> w2 settled e4 ; w2 deliver e5
w1: ack e3                                -> w1 settled e3
w2: ack e5                                -> w2 settled e5
wait 1h                                   -> nothing
