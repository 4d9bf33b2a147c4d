# a settle is answered after its commit, with its emits in the same block   [R-SETTLE-1] [R-SETTLE-4] P5
w1: hello group=ocr credit=5             -> log block=1
log: committed 1                         -> w1 welcome
p1: subscribe s1 filter=pages.>          -> p1 subscribed s1 ; p1 caught_up s1
g1: publish count=3                      -> log block=2 records=4
log: committed 2                         -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3
w1: ack e1 emit=pages.1,pages.2          -> log block=3 records=3
log: committed 3                         -> w1 settled e1 ; p1 event s1 m1 cause=e1 ; p1 event s1 m2 cause=e1
# twice, foreign, unknown verb, emits with a nack, a bad emit   [R-SETTLE-3] [R-SETTLE-5] [R-SETTLE-4]
w1: ack e1                               -> w1 stale e1
w2: hello group=ocr credit=0             -> w2 welcome
w2: ack e2 lease_of=w1                   -> w2 stale e2
w1: bless e2                             -> w1 bad_request e2
w1: nack e2 emit=pages.9                 -> w1 bad_request e2
w1: ack e2 emit=$sys.no                  -> w1 forbidden e2
w1: ack e2 e2                            -> w1 stale e2 ; log block=4
log: committed 4                         -> w1 settled e2
# numbers of settles are consecutive   [R-SETTLE-1]
w1: ack e3 number=99                     -> w1 error bad_request about=settle
