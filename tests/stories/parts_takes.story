# what a peer takes is counted as in R-PART-1, without what the coordinator adds: 65,636 bytes of data and 5 of topic   [R-PART-7]
log: auto
w1: hello group=less filters=big credit=10 bytes=1000000 takes=65640 -> w1 welcome
w2: hello group=just filters=big credit=10 bytes=1000000 takes=65641 -> w2 welcome
p2: hello takes=65641                                      -> p2 welcome
p2: subscribe s1 filter=big                                -> p2 subscribed s1 ; p2 caught_up s1
p1: parts of=2                                             -> nothing
p1: publish number=1 body=0 topic=big                      -> p1 accepted e1 ; w2 part e1 0/2 ; w2 part e1 1/2 ; w2 deliver e1 attempt=1 ; p2 part s1 e1 0/2 ; p2 part s1 e1 1/2 ; p2 event s1 e1 ; p2 caught_up s1
