# a group that is moved while it loses what has left the window goes on when both are committed   [R-CHANGE-4] [R-GROUP-3]
w1: hello group=ocr affinity=session credit=1 -> log block=1
log: committed 1                         -> w1 welcome
g1: publish                              -> log block=2
log: committed 2                         -> g1 accepted e1 ; w1 deliver e1
g1: publish                              -> log block=3
log: committed 3                         -> g1 accepted e2
g1: publish                              -> log block=4
log: trim e2                             -> log kept
a1: manage group_seek group=ocr start=first -> w1 revoke e1 stale
w1: credit deliver=5                     -> nothing
log: committed 4                         -> g1 accepted e3 ; log block=5
log: committed 5                         -> a1 answer ok ; log block=6
log: committed 6                         -> w1 deliver e2 ; w1 deliver e3
