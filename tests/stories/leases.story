# a silent worker loses its lease; the event is offered once more   [R-LEASE-3] [R-LEASE-5]
w1: hello group=caption credit=1     -> log block=1
log: committed 1                     -> w1 welcome
g1: publish key=cat body=17          -> log block=2
log: committed 2                     -> g1 accepted e1 ; w1 deliver e1 attempt=1
w2: hello group=caption credit=1     -> w2 welcome
wait 31s                             -> w1 revoke e1 timeout ; log block=3
log: committed 3                     -> nothing
wait 2s                              -> w2 deliver e1 attempt=2
w1: ack e1                           -> w1 stale e1
w2: ack e1                           -> log block=4
log: committed 4                     -> w2 settled e1
