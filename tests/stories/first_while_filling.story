# a group that begins at an event which waits with it for the same block   [R-GROUP-2] P1
p1: hello                                -> p1 welcome
p1: publish                              -> log block=1
p1: publish                              -> nothing
w1: hello group=ocr credit=9 start=1     -> nothing
log: committed 1                         -> p1 accepted e1 ; log block=2
log: committed 2                         -> p1 accepted e2 ; w1 welcome ; log block=3
log: committed 3                         -> w1 deliver e2
