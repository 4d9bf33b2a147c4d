# two groups answer one request: their pieces say whose they are, both answers come, and the first committed one counts   [R-REQ-1] [R-REQ-2]
log: auto
w1: hello group=plan credit=9            -> w1 welcome
w2: hello group=draft credit=9           -> w2 welcome
g1: subscribe s1 filter=$inbox.c1        -> g1 subscribed s1 ; g1 caught_up s1
g1: publish reply_to=$inbox.c1           -> g1 accepted e1 ; w1 deliver e1 ; w2 deliver e1
w1: partial e1 topic=$inbox.c1 index=0   -> g1 partial s1 e1 attempt=1 index=0 group=1
w2: partial e1 topic=$inbox.c1 index=0   -> g1 partial s1 e1 attempt=1 index=0 group=2
w1: partial e1 topic=$inbox.c1 index=1   -> g1 partial s1 e1 attempt=1 index=1 group=1
w2: ack e1 emit=$inbox.c1                -> w2 settled e1 ; g1 event s1 m1 cause=e1
w1: ack e1 emit=$inbox.c1                -> w1 settled e1 ; g1 event s1 m2 cause=e1
