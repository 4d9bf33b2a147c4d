# what was sent for a lease that has ended is dropped with it, and its late settle is stale   [R-PART-12] [R-SETTLE-3]
log: auto
a1: hello                                                  -> a1 welcome
w1: hello group=ocr credit=20 bytes=10000000 lease=10s     -> w1 welcome
p2: subscribe s1 filter=out.>                              -> p2 subscribed s1 ; p2 caught_up s1
p1: publish                                                -> p1 accepted e1 ; w1 deliver e1 attempt=1
w1: parts for=e1 of=2                                      -> nothing
wait 12s                                                   -> w1 revoke timeout ; w1 deliver e1 attempt=2
w1: ack e1 attempt=1 emit=out.a parts=2                    -> w1 stale e1
w1: ack e1 emit=out.a parts=2                              -> w1 bad_request e1
# given back
w1: parts for=e1 of=2                                      -> nothing
w1: release e1                                             -> w1 deliver e1 attempt=2
w1: ack e1 emit=out.a parts=2                              -> w1 bad_request e1
# a connection that is lost: under its new lease it is sent again from the first
w1: parts for=e1 of=2                                      -> nothing
w1: gone                                                   -> nothing
w1: hello group=ocr credit=20 bytes=10000000 lease=10s holds=e1/2 -> w1 welcome kept=e1/2
w1: ack e1 emit=out.a parts=2                              -> w1 bad_request e1
w1: parts for=e1 of=2                                      -> nothing
# a coordinator that is killed
crash ; restart                                            -> log recover
w1: hello group=ocr credit=20 bytes=10000000 lease=10s holds=e1/2 -> w1 welcome kept=e1/2
w1: ack e1 emit=out.a parts=2                              -> w1 bad_request e1
w1: parts for=e1 of=2                                      -> nothing
p2: subscribe s1 filter=out.> since=first                  -> p2 subscribed s1
wait 1s                                                    -> p2 caught_up s1
w1: ack e1 emit=out.a parts=2                              -> w1 settled e1 ; p2 part s1 m1 0/2 ; p2 part s1 m1 1/2 ; p2 event s1 m1 cause=e1 ; p2 caught_up s1
# an ack without it: its parts are nothing
p1: publish                                                -> p1 accepted e2 ; w1 deliver e2
w1: parts for=e2 of=2                                      -> nothing
w1: ack e2 emit=out.b                                      -> w1 settled e2 ; p2 event s1 m2 cause=e2
# parts for a lease that has ended are dropped; who goes on and on with them is forgotten   [R-PART-4]
w1: parts for=e2 of=2 times=179                            -> w1 forgotten
snapshot                                                   -> snapshot equal
