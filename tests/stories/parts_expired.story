# a large event that expires while it is being sent is not delivered: its worker forgets what came, and has its credit again   [R-PUB-10] [R-PART-6]
log: auto
w1: hello group=thumbs credit=1 bytes=1000000              -> w1 welcome
p1: parts of=6 last=3                                      -> nothing
p1: parts number=1 of=6 first=4                            -> nothing
turns single                                               -> nothing
p1: publish number=1 body=0 ttl=5s                         -> log block=4
log: committed 4                                           -> p1 accepted e1 ; w1 part e1 0/6 ; w1 part e1 1/6 ; w1 part e1 2/6 ; w1 part e1 3/6
stopped 6s                                                 -> w1 revoke stale
turns all                                                  -> nothing
p1: publish                                                -> p1 accepted e2 ; w1 deliver e2
