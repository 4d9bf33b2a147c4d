# a settle whose emit has not all its parts is refused, its lease goes on, and what was sent is to be sent again   [R-PART-12]
log: auto
w1: hello group=ocr credit=20 bytes=10000000               -> w1 welcome
p2: subscribe s1 filter=out.>                              -> p2 subscribed s1 ; p2 caught_up s1
p1: publish count=2                                        -> p1 accepted e1 ; p1 accepted e2 ; w1 deliver e1 ; w1 deliver e2
w1: ack e1 emit=out.a parts=3                              -> w1 bad_request e1
w1: parts for=e1 of=3 last=1                               -> nothing
w1: ack e1 emit=out.a parts=3                              -> w1 bad_request e1
w1: parts for=e1 of=3 first=2                              -> nothing
w1: ack e1 emit=out.a parts=3                              -> w1 bad_request e1
# of another number of parts, at another place, or with data of its own
w1: parts for=e1 of=2                                      -> nothing
w1: ack e1 emit=out.a parts=3                              -> w1 bad_request e1
w1: parts for=e1 emit=2 of=2                               -> nothing
w1: ack e1 emit=out.a parts=2                              -> w1 bad_request e1
w1: parts for=e1 of=129 last=0                             -> nothing
w1: parts for=e1 emit=2 of=2                               -> nothing
w1: ack e1 emit=out.a,out.b parts=129,2                    -> w1 too_large e1
# a part that does not fit takes the others with it, and the settle has the answer
w1: parts for=e1 of=3 last=0                               -> nothing
w1: parts for=e1 of=3 first=2                              -> nothing
w1: parts for=e1 of=3 first=1                              -> nothing
w1: ack e1 emit=out.a parts=3                              -> w1 bad_request e1
# a bad emit beside it refuses both
w1: parts for=e1 of=2                                      -> nothing
w1: ack e1 emit=out.a,$sys.b parts=2,0                     -> w1 forbidden e1
w1: parts for=e1 of=2                                      -> nothing
w1: nack e1 emit=out.a parts=2                             -> w1 bad_request e1
# after all of that it is taken; no part of what was refused is anywhere
w1: parts for=e1 of=2                                      -> nothing
w1: ack e1 emit=out.a parts=2                              -> w1 settled e1 ; p2 part s1 m1 0/2 ; p2 part s1 m1 1/2 ; p2 event s1 m1 cause=e1 ; p2 caught_up s1
# sixteen emits may be open beside sixteen events; one more is put off, and with it its settle   [R-PART-11]
w1: parts for=e2 emit=1 of=2 last=0 ; w1: parts for=e2 emit=2 of=2 last=0 ; w1: parts for=e2 emit=3 of=2 last=0 ; w1: parts for=e2 emit=4 of=2 last=0 -> nothing
w1: parts for=e2 emit=5 of=2 last=0 ; w1: parts for=e2 emit=6 of=2 last=0 ; w1: parts for=e2 emit=7 of=2 last=0 ; w1: parts for=e2 emit=8 of=2 last=0 -> nothing
w1: parts for=e2 emit=9 of=2 last=0 ; w1: parts for=e2 emit=10 of=2 last=0 ; w1: parts for=e2 emit=11 of=2 last=0 ; w1: parts for=e2 emit=12 of=2 last=0 -> nothing
w1: parts for=e2 emit=13 of=2 last=0 ; w1: parts for=e2 emit=14 of=2 last=0 ; w1: parts for=e2 emit=15 of=2 last=0 ; w1: parts for=e2 emit=16 of=2 last=0 -> nothing
w1: parts of=2 last=0                                      -> nothing
w1: parts for=e2 emit=17 of=2 last=0                       -> nothing
w1: ack e2 emit=out.a parts=2                              -> w1 throttled e2
w1: parts for=e2 of=2                                      -> nothing
w1: ack e2 emit=out.a parts=2                              -> w1 settled e2 ; p2 part s1 m2 0/2 ; p2 part s1 m2 1/2 ; p2 event s1 m2 cause=e2 ; p2 caught_up s1
snapshot                                                   -> snapshot equal
