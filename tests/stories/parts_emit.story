# a large emit comes in parts before its settle, and stands in one block with it and the others   [R-PART-10] [R-SETTLE-4] P5
log: auto
w1: hello group=ocr credit=20 bytes=10000000               -> w1 welcome
p2: subscribe s1 filter=out.>                              -> p2 subscribed s1 ; p2 caught_up s1
p1: publish count=3                                        -> p1 accepted e1 ; p1 accepted e2 ; p1 accepted e3 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3
w1: parts for=e1 emit=2 of=3                               -> nothing
# others go past it
w1: ack e2 emit=out.small                                  -> w1 settled e2 ; p2 event s1 m1 cause=e2
log: slow                                                  -> nothing
w1: ack e1 emit=out.a,out.b,out.c parts=0,3,0              -> w1 settled e1 ; p2 event s1 m2 cause=e1 ; p2 part s1 m3 0/3 ; p2 part s1 m3 1/3 ; p2 part s1 m3 2/3 ; p2 event s1 m3 cause=e1 ; p2 event s1 m4 cause=e1 ; p2 caught_up s1
log: quick                                                 -> nothing
# two at once, both large
w1: parts for=e3 emit=1 of=2 last=0                        -> nothing
w1: parts for=e3 emit=2 of=2                               -> nothing
w1: parts for=e3 emit=1 of=2 first=1                       -> nothing
w1: ack e3 emit=out.a,out.b parts=2,2                      -> w1 settled e3 ; p2 part s1 m5 0/2 ; p2 part s1 m5 1/2 ; p2 event s1 m5 cause=e3 ; p2 part s1 m6 0/2 ; p2 part s1 m6 1/2 ; p2 event s1 m6 cause=e3 ; p2 caught_up s1
# the answer to a request may be as large
g1: subscribe s1 filter=$inbox.me                          -> g1 subscribed s1 ; g1 caught_up s1
g1: publish reply_to=$inbox.me                             -> g1 accepted e4 ; w1 deliver e4
w1: parts for=e4 of=2                                      -> nothing
w1: ack e4 emit=$inbox.me reply=error parts=2               -> w1 settled e4 ; g1 part s1 m7 0/2 ; g1 part s1 m7 1/2 ; g1 event s1 m7 cause=e4 ; g1 caught_up s1
# it may have a delay
p1: publish                                                -> p1 accepted e5 ; w1 deliver e5
w1: parts for=e5 of=2                                      -> nothing
w1: ack e5 emit=out.later parts=2 delay=20s                -> w1 settled e5
crash ; restart                                            -> log recover
snapshot                                                   -> snapshot equal
p2: subscribe s2 filter=out.>                              -> p2 subscribed s2 ; p2 caught_up s2
wait 30s                                                   -> p2 part s2 m8 0/2 ; p2 part s2 m8 1/2 ; p2 event s2 m8 cause=e5 ; p2 caught_up s2
