# an event leaves the window while it is on loan: that is announced, and when its lease ends nothing is left of it   [R-GROUP-3]
a1: subscribe s1 filter=$sys.>           -> a1 subscribed s1 ; a1 caught_up s1
w1: hello group=ocr credit=1             -> log block=1
log: committed 1                         -> w1 welcome
g1: publish                              -> log block=2
log: committed 2                         -> g1 accepted e1 ; w1 deliver e1 attempt=1
g1: publish                              -> log block=3
log: committed 3                         -> g1 accepted e2
log: trim e2                             -> log block=4 ; log kept
log: committed 4                         -> a1 event s1 m1
wait 31s                                 -> w1 revoke e1 timeout ; log block=5
log: committed 5                         -> nothing
wait 1h                                  -> nothing
w1: credit deliver=2                     -> log block=6
log: committed 6                         -> w1 deliver e2 attempt=1
w1: ack e2                               -> log block=7
log: committed 7                         -> w1 settled e2
snapshot                                 -> snapshot equal
