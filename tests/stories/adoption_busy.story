# what nobody came back with after a restart goes out also while the group always has a settle pending   [R-ADOPT-2]
w1: hello group=ocr credit=1              -> log block=1
log: committed 1                          -> w1 welcome
p1: publish                               -> log block=2
log: committed 2                          -> p1 accepted e1 ; w1 deliver e1
crash ; restart                           -> log recover
w2: hello group=ocr credit=1              -> w2 welcome
p1: publish                               -> log block=3
log: committed 3                          -> p1 accepted e2 ; w2 deliver e2
p1: publish                               -> log block=4
w2: ack e2                                -> nothing
wait 6s                                   -> nothing
w2: credit deliver=2                      -> nothing
log: committed 4                          -> p1 accepted e3 ; log block=5
log: committed 5                          -> w2 settled e2 ; w2 deliver e1 attempt=2 ; log block=6
