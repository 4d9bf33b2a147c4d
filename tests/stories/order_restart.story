# after a restart only the first unsettled event of a key is kept by its worker; the others wait behind it   [R-ORDER-3] [R-ADOPT-2] P4 P10
log: auto
w1: hello group=ocr ordering=key credit=9 -> w1 welcome
g1: publish key=a                         -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a                         -> g1 accepted e2
g1: publish key=b                         -> g1 accepted e3 ; w1 deliver e3
g1: publish key=b                         -> g1 accepted e4
g1: publish key=c                         -> g1 accepted e5 ; w1 deliver e5
w1: nack e5 delay=1s                      -> w1 settled e5
g1: publish key=c                         -> g1 accepted e6
snapshot                                  -> snapshot equal
crash ; restart                           -> log recover
w2: hello group=ocr ordering=key credit=9 holds=e4/1 -> w2 welcome
w1: hello group=ocr ordering=key credit=9 holds=e1/1 -> w1 welcome kept=e1/1
g1: publish key=d                         -> g1 accepted e7 ; w2 deliver e7
g1: publish key=a                         -> g1 accepted e8
w1: ack e1                                -> w1 settled e1 ; w1 deliver e2 attempt=1
wait 4s                                   -> nothing
wait 3s                                   -> w2 deliver e3 attempt=2 ; w1 deliver e5 attempt=2
w1: ack e2 e5                             -> w1 settled e2 ; w1 settled e5 ; w1 deliver e6 attempt=1 ; w2 deliver e8 attempt=1
w2: ack e3 e7                             -> w2 settled e3 ; w2 settled e7 ; w2 deliver e4 attempt=1
w1: ack e6                                -> w1 settled e6
w2: ack e8 e4                             -> w2 settled e8 ; w2 settled e4
wait 1h                                   -> nothing
