# what is given up and waits for room among the dead letters holds up nobody, also after a restart   [R-ORDER-2] [R-DEAD-5]
log: auto
w1: hello group=ocr ordering=key credit=20 -> w1 welcome
g1: publish count=4                       -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3 ; w1 deliver e4
w1: reject e1 e2 e3 e4                    -> w1 settled e1 ; w1 settled e2 ; w1 settled e3 ; w1 settled e4
g1: publish key=a                         -> g1 accepted e5 ; w1 deliver e5
g1: publish key=a                         -> g1 accepted e6
w1: reject e5                             -> w1 settled e5 ; w1 deliver e6
crash ; restart                           -> log recover
w1: hello group=ocr ordering=key credit=20 holds=e6/1 -> w1 welcome kept=e6/1
w1: ack e6                                -> w1 settled e6
g1: publish key=a                         -> g1 accepted e7 ; w1 deliver e7
