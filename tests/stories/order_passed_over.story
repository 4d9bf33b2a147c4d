# an event that expires before it goes anywhere holds its key until that is committed: after a crash it would be there again   [R-ORDER-2]
w1: hello group=ocr ordering=key credit=0     -> log block=1
log: committed 1                              -> w1 welcome
g1: publish key=a ttl=1s                      -> log block=2
log: committed 2                              -> g1 accepted e1
g1: publish key=a                             -> log block=3
log: committed 3                              -> g1 accepted e2
wait 2s                                       -> nothing
w1: credit deliver=2                          -> log block=4
log: committed 4                              -> log block=5
log: committed 5                              -> w1 deliver e2 attempt=1
