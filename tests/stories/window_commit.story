# nothing goes before the core lets go of it, and it does so when what the groups lose is announced and committed   [R-GROUP-3] P1
w1: hello group=ocr credit=0             -> log block=1
log: committed 1                         -> w1 welcome
a1: subscribe s1 filter=$sys.>           -> a1 subscribed s1 ; a1 caught_up s1
g1: publish count=2                      -> log block=2
log: committed 2                         -> g1 accepted e1 ; g1 accepted e2
g1: publish                              -> log block=3
log: committed 3                         -> g1 accepted e3
log: trim e3                             -> log block=4 ; log kept
# a crash before that loses nothing: it is done again, and announced once
crash ; restart                          -> log recover blocks=3
a1: subscribe s1 filter=$sys.>           -> a1 subscribed s1 ; a1 caught_up s1
log: committed 4                         -> a1 event s1 m1
w1: hello group=ocr credit=1             -> w1 welcome ; log block=5
log: committed 5                         -> w1 deliver e3 ; log block=6
