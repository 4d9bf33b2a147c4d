# an emit whose token was accepted before is dropped, and its settle counts; without room the settle is refused and the lease goes on   [R-TOKEN-4] P5
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
p1: subscribe s1 filter=pages.>          -> p1 subscribed s1 ; p1 caught_up s1
g1: publish count=4                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3 ; w1 deliver e4
w1: ack e1 emit=pages.1 token=a          -> w1 settled e1 ; p1 event s1 m1 cause=e1
w1: ack e2 emit=pages.1 token=a          -> w1 settled e2
w1: ack e3 emit=pages.2,pages.3 token=b  -> w1 settled e3 ; p1 event s1 m2 cause=e3
g1: publish token=a                      -> g1 accepted m1 duplicate
g1: publish token=c                      -> g1 accepted e6 ; w1 deliver e6
g1: publish token=d                      -> g1 accepted e7 ; w1 deliver e7
w1: ack e4 emit=pages.4 token=e          -> w1 throttled e4
w1: ack e4 emit=pages.4 token=d          -> w1 settled e4
