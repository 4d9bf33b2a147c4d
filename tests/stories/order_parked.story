# a group parks so many events and reads no further until one of them goes on   [R-ORDER-4] P7
log: auto
w1: hello group=ocr ordering=key credit=20 -> w1 welcome
g1: publish key=a                         -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a count=4                 -> g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4 ; g1 accepted e5
g1: publish key=b                         -> g1 accepted e6
g1: publish key=a                         -> g1 accepted e7
wait 1s                                   -> nothing
w1: ack e1                                -> w1 settled e1 ; w1 deliver e2 ; w1 deliver e6
# after a restart it stops at the same place
crash ; restart                           -> log recover
w2: hello group=ocr ordering=key credit=20 -> w2 welcome
w1: hello group=ocr ordering=key credit=20 holds=e2/1,e6/1 -> w1 welcome kept=e2/1,e6/1
w1: ack e2 e6                             -> w1 settled e2 ; w1 settled e6 ; w2 deliver e3
w2: ack e3                                -> w2 settled e3 ; w1 deliver e4
w1: ack e4                                -> w1 settled e4 ; w2 deliver e5
w2: ack e5                                -> w2 settled e5 ; w1 deliver e7
w1: ack e7                                -> w1 settled e7
wait 1h                                   -> nothing
