# an event that expires while it is parked is settled when its turn comes, and the next goes   [R-ORDER-2] [R-PUB-10]
log: auto
w1: hello group=ocr ordering=session credit=20 -> w1 welcome
g1: publish session=s                     -> g1 accepted e1 ; w1 deliver e1
g1: publish session=s ttl=5s              -> g1 accepted e2
g1: publish session=s                     -> g1 accepted e3
g1: publish session=s ttl=5s              -> g1 accepted e4
wait 10s                                  -> nothing
w1: ack e1                                -> w1 settled e1 ; w1 deliver e3
w1: ack e3                                -> w1 settled e3
g1: publish session=s                     -> g1 accepted e5 ; w1 deliver e5
w1: ack e5                                -> w1 settled e5
wait 1h                                   -> nothing
