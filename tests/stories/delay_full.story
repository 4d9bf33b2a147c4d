# a full table refuses events with a delay until one is due; others go on   [R-DELAY-3] P7 P8
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
g1: publish delay=60s count=4            -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4
g1: publish delay=60s                    -> g1 refused e5 overloaded
g1: publish                              -> g1 accepted e6 ; w1 deliver e6
g1: publish delay=5s tenant=acme count=2 -> g1 accepted e7 ; g1 accepted e8
g1: publish delay=5s tenant=acme         -> g1 refused e9 overloaded
w1: ack e6 emit=pages.1 delay=60s        -> w1 overloaded e6
wait 5s                                  -> nothing
g1: publish delay=5s tenant=acme         -> g1 accepted e10
w1: extend e6 for=5m                     -> nothing
wait 55s                                 -> w1 deliver m1 first=e1 ; w1 deliver m2 first=e2 ; w1 deliver m3 first=e3 ; w1 deliver m4 first=e4
w1: ack e6 emit=pages.1 delay=60s        -> w1 settled e6
snapshot                                 -> snapshot equal
