# a settle whose emits have more new tokens than the table has places is refused, and none is forgotten for them   [R-TOKEN-4] [R-TOKEN-3] P7
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
g1: publish                              -> g1 accepted e1 ; w1 deliver e1
w1: ack e1 emit=p.1,p.2,p.3,p.4,p.5 token=topic -> w1 throttled e1
snapshot                                 -> snapshot equal
g1: publish token=p.1                    -> g1 accepted e2 ; w1 deliver e2
w1: ack e1 emit=p.1,p.2,p.3,p.4 token=topic -> w1 settled e1
g1: publish token=p.5                    -> g1 refused e3 throttled
g1: publish token=p.1                    -> g1 accepted e2 duplicate
