# a worker that goes while it is being sent an event has not had it: another is sent it at once, with the same attempt   [R-PART-6]
log: auto
a1: hello                                                  -> a1 welcome
w1: hello group=g credit=9 bytes=1000000                   -> w1 welcome
p1: parts of=6 last=3                                      -> nothing
p1: parts number=1 of=6 first=4                            -> nothing
turns single                                               -> nothing
p1: publish number=1 body=0                                -> log block=4
log: committed 4                                           -> p1 accepted e1 ; w1 part e1 0/6 ; w1 part e1 1/6 ; w1 part e1 2/6 ; w1 part e1 3/6
w1: gone                                                   -> nothing
turns all                                                  -> nothing
w2: hello group=g credit=9 bytes=1000000                   -> w2 welcome ; w2 part e1 0/6 ; w2 part e1 1/6 ; w2 part e1 2/6 ; w2 part e1 3/6 ; w2 part e1 4/6 ; w2 part e1 5/6 ; w2 deliver e1 attempt=1
w2: ack e1                                                 -> w2 settled e1
# it cannot settle what it has not been sent to the end
p1: parts of=6 last=3                                      -> nothing
p1: parts number=2 of=6 first=4                            -> nothing
turns single                                               -> nothing
p1: publish number=2 body=0                                -> log block=8
log: committed 8                                           -> p1 accepted e2 ; w2 part e2 0/6 ; w2 part e2 1/6 ; w2 part e2 2/6 ; w2 part e2 3/6
w2: ack e2                                                 -> w2 stale e2 ; w2 part e2 4/6 ; w2 part e2 5/6
# a pause takes it back; what was paused is sent from its beginning
a1: manage group_pause group=g                             -> log block=9 ; w2 revoke stale
log: committed 9                                           -> a1 answer ok
turns all                                                  -> nothing
a1: manage group_resume group=g                            -> a1 answer ok ; w2 part e2 0/6 ; w2 part e2 1/6 ; w2 part e2 2/6 ; w2 part e2 3/6 ; w2 part e2 4/6 ; w2 part e2 5/6 ; w2 deliver e2 attempt=1
w2: ack e2                                                 -> w2 settled e2
# of a subscription that ends no more comes, and its peer can be sent others
p2: subscribe s1 filter=docs.> since=first                 -> p2 subscribed s1 ; p2 part s1 e1 0/6 ; p2 part s1 e1 1/6 ; p2 part s1 e1 2/6 ; p2 part s1 e1 3/6 ; p2 part s1 e1 4/6 ; p2 part s1 e1 5/6 ; p2 event s1 e1 ; p2 part s1 e2 0/6 ; p2 part s1 e2 1/6 ; p2 part s1 e2 2/6 ; p2 part s1 e2 3/6 ; p2 part s1 e2 4/6 ; p2 part s1 e2 5/6 ; p2 event s1 e2 ; p2 caught_up s1
w2: gone                                                   -> nothing
p1: parts of=6 last=3                                      -> nothing
p1: parts number=3 of=6 first=4                            -> nothing
turns single                                               -> nothing
p1: publish number=3 body=0                                -> log block=14
log: committed 14                                          -> p1 accepted e3 ; p2 part s1 e3 0/6 ; p2 part s1 e3 1/6 ; p2 part s1 e3 2/6 ; p2 part s1 e3 3/6
p2: unsubscribe s1                                         -> p2 ended s1 ok
p2: subscribe s2 filter=docs.> since=e2                    -> p2 subscribed s2 ; p2 part s2 e3 0/6 ; p2 part s2 e3 1/6 ; p2 part s2 e3 2/6 ; p2 part s2 e3 3/6
turns all                                                  -> p2 part s2 e3 4/6 ; p2 part s2 e3 5/6 ; p2 event s2 e3
p2: credit events=1000 bytes=100000000                      -> p2 caught_up s2
