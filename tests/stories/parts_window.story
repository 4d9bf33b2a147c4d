# a large event whose first part has left the window is lost with it: the groups are told, a subscription that comes to it ends behind it   [R-GROUP-3] [R-PART-6]
log: auto
a1: hello                                      -> a1 welcome
a1: subscribe s1 filter=$sys.>                 -> a1 subscribed s1 ; a1 caught_up s1
w1: hello group=ocr credit=0                   -> w1 welcome
p1: parts of=3                                 -> nothing
p1: publish                                    -> p1 accepted e2
p1: publish number=1 body=0                    -> p1 accepted e1
log: trim e2                                   -> nothing
w1: credit deliver=9                           -> w1 deliver e2 ; a1 event s1 m1
p2: subscribe s1 filter=docs.> since=first     -> p2 subscribed s1 ; p2 event s1 e2 ; p2 ended s1 gone
p2: subscribe s2 filter=docs.> since=e1        -> p2 subscribed s2 ; p2 caught_up s2
w1: ack e2                                     -> w1 settled e2
crash ; restart                                -> log recover
w1: hello group=ocr credit=9                   -> w1 welcome
