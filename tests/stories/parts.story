# an event over 64 KiB comes in parts, is stored in parts, and is delivered in parts; small ones go past it   [R-PART-1] [R-PART-2] [R-PART-6]
log: auto
w1: hello group=thumbs credit=10 bytes=1000000             -> w1 welcome
p1: parts of=3 first=0 last=0                              -> nothing
p1: publish                                                -> p1 accepted e2 ; w1 deliver e2 attempt=1
p1: parts number=1 of=3 first=1                            -> nothing
p1: publish number=1 body=0                                -> p1 accepted e1 ; w1 part e1 0/3 ; w1 part e1 1/3 ; w1 part e1 2/3 ; w1 deliver e1 attempt=1
w1: ack e1 e2                                              -> w1 settled e1 ; w1 settled e2
# the same number again: the first answer, already at the first part   [R-PART-5]
p1: gone                                                   -> nothing
p1: hello                                                  -> p1 welcome
p1: parts number=1 of=3                                    -> p1 accepted e1 duplicate
# also after a restart
crash ; restart                                            -> log recover
p1: hello                                                  -> p1 welcome
p1: parts number=1 of=3                                    -> p1 accepted e1 duplicate
snapshot                                                   -> snapshot equal
# what was begun and not ended begins anew on the next connection, also below numbers that went past it   [R-PART-5]
p1: parts of=2 first=0 last=0                              -> nothing
p1: publish topic=other                                    -> p1 accepted e4
p1: gone                                                   -> nothing
p1: hello unanswered=3                                     -> p1 welcome
p1: parts number=3 of=2                                    -> nothing
p1: publish topic=other                                    -> p1 accepted e5
p1: publish number=3 body=0 topic=big                      -> p1 accepted e3
snapshot                                                   -> snapshot equal
# a subscription is sent it in its place; who does not take so large ones sees it without its data   [R-PART-6] [R-PART-7]
p2: subscribe s1 filter=> since=first                      -> p2 subscribed s1 ; p2 part s1 e1 0/3 ; p2 part s1 e1 1/3 ; p2 part s1 e1 2/3 ; p2 event s1 e2 ; p2 event s1 e1 ; p2 event s1 e4 ; p2 event s1 e5 ; p2 part s1 e3 0/2 ; p2 part s1 e3 1/2 ; p2 event s1 e3 ; p2 caught_up s1
p3: hello takes=0                                          -> p3 welcome
p3: subscribe s1 filter=big since=first                    -> p3 subscribed s1 ; p3 event s1 e3 ; p3 caught_up s1
p2: unsubscribe s1                                         -> p2 ended s1 ok
# a worker that does not take so large ones is passed over: another has it   [R-PART-7]
w2: hello group=big filters=large credit=10 bytes=1000000 takes=65600 -> w2 welcome
p1: parts of=2                                             -> nothing
p1: publish number=6 body=0 topic=large                    -> p1 accepted e6
p1: publish topic=large                                    -> p1 accepted e7 ; w2 deliver e7 attempt=1
w3: hello group=big filters=large credit=10 bytes=1000000  -> w3 welcome ; w3 part e6 0/2 ; w3 part e6 1/2 ; w3 deliver e6 attempt=1
# when its worker is lost it goes out again, in parts
w3: gone                                                   -> nothing
w3: hello group=big filters=large credit=10 bytes=1000000 instance=other -> w3 welcome
wait 7s                                                    -> w3 part e6 0/2 ; w3 part e6 1/2 ; w3 deliver e6 attempt=2
# live ones are sent in parts as well
p2: subscribe s2 filter=last                               -> p2 subscribed s2 ; p2 caught_up s2
p1: parts of=2                                             -> nothing
p1: publish number=8 body=0 topic=last                     -> p1 accepted e8 ; p2 part s2 e8 0/2 ; p2 part s2 e8 1/2 ; p2 event s2 e8 ; p2 caught_up s2
