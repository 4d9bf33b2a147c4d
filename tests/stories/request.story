# partial answers reach the inbox while the work is done, the reply is in the settle's block   [R-REQ-1] [R-REQ-2]
log: auto
w1: hello group=plan credit=5            -> w1 welcome
g1: subscribe s1 filter=$inbox.c1        -> g1 subscribed s1 ; g1 caught_up s1
# who else listens does not hide the group   [R-PUB-8]
p1: subscribe s1 filter=docs.>           -> p1 subscribed s1 ; p1 caught_up s1
p2: subscribe s1 filter=*.a              -> p2 subscribed s1 ; p2 caught_up s1
g1: publish reply_to=$inbox.c1           -> g1 accepted e1 ; w1 deliver e1 ; p1 event s1 e1 ; p2 event s1 e1
p1: gone ; p2: gone                      -> nothing
w1: partial e1 topic=$inbox.c1 index=0   -> g1 partial s1 e1 attempt=1 index=0
w1: partial e1 topic=docs.a index=1      -> nothing
w2: hello group=plan credit=0            -> w2 welcome
w2: partial e1 topic=$inbox.c1 index=0   -> nothing
# cancel is told to the worker that holds it   [R-REQ-3]
g1: cancel e1                            -> w1 cancel e1
w1: ack e1 emit=$inbox.c1                -> w1 settled e1 ; g1 event s1 m1 cause=e1
w1: partial e1 topic=$inbox.c1 index=2   -> nothing
g1: cancel e1                            -> nothing
