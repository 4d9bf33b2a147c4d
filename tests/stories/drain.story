# leaving: no new publishes and deliveries, settles are taken   [R-DRAIN-1]
log: auto
w1: hello group=ocr credit=1             -> w1 welcome
g1: publish count=2                      -> g1 accepted e1 ; g1 accepted e2 ; w1 deliver e1
drain                                    -> w1 drain ; g1 drain
g1: publish                              -> g1 refused e3 draining
w1: credit deliver=5                     -> nothing
w1: ack e1                               -> w1 settled e1
