# what leaves the window unsettled is announced, and the group goes on after it   [R-GROUP-3] P1
log: auto
w1: hello group=ocr credit=0             -> w1 welcome
w2: hello group=idle credit=9            -> w2 welcome
a1: subscribe s1 filter=$sys.>           -> a1 subscribed s1 ; a1 caught_up s1
g1: publish count=2                      -> g1 accepted e1 ; g1 accepted e2 ; w2 deliver e1 ; w2 deliver e2
g1: publish                              -> g1 accepted e3 ; w2 deliver e3
w2: ack e1 e2 e3                         -> w2 settled e1 ; w2 settled e2 ; w2 settled e3
log: trim e3                             -> a1 event s1 m1
w1: credit deliver=9                     -> w1 deliver e3
p1: subscribe s1 since=e1                -> p1 subscribed s1 gap ; p1 event s1 e3 ; p1 caught_up s1
