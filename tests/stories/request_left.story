# the answer to a requester who has left waits on its inbox, and over a restart; it finds it when it comes back   [R-REQ-1]
log: auto
w1: hello group=plan credit=9            -> w1 welcome
g1: subscribe s1 filter=$inbox.c1        -> g1 subscribed s1 ; g1 caught_up s1
g1: publish reply_to=$inbox.c1           -> g1 accepted e1 ; w1 deliver e1
g1: gone                                 -> nothing
w1: ack e1 emit=$inbox.c1                -> w1 settled e1
crash ; restart                          -> log recover
g1: hello                                -> g1 welcome
g1: subscribe s1 filter=$inbox.c1 since=e1-> g1 subscribed s1 ; g1 event s1 m1 cause=e1 ; g1 caught_up s1
# a cancel reaches who holds it, also another than the first   [R-REQ-3]
w1: hello group=plan credit=9            -> w1 welcome
g1: publish reply_to=$inbox.c1           -> g1 accepted e2 ; w1 deliver e2
w1: gone                                 -> nothing
w2: hello group=plan credit=9            -> w2 welcome
wait 10s                                 -> w2 deliver e2 attempt=2
g1: cancel e2                            -> w2 cancel e2
w2: reject e2 emit=$inbox.c1             -> w2 settled e2 ; g1 event s1 m2 cause=e2
# a cancel that comes while its worker is away is told with the welcome   [R-REQ-3]
w2: gone                                 -> nothing
w1: hello group=plan credit=9            -> w1 welcome
g1: publish reply_to=$inbox.c1           -> g1 accepted e3 ; w1 deliver e3
w1: gone                                 -> nothing
g1: cancel e3                            -> nothing
w1: hello group=plan credit=9 holds=e3/1 -> w1 welcome kept=e3/1 ; w1 cancel e3
w1: reject e3 emit=$inbox.c1             -> w1 settled e3 ; g1 event s1 m3 cause=e3
