# a change is answered after its commit; a crash before forgets it   [R-MANAGE-1]
w1: hello group=ocr credit=0             -> log block=1
log: committed 1                         -> w1 welcome
a1: manage group_pause group=ocr         -> log block=2
log: committed 2                         -> a1 answer ok
a1: manage group_resume group=ocr        -> log block=3
log: committed 3                         -> a1 answer ok
a1: manage group_pause group=ocr         -> log block=4
crash ; restart                          -> log recover
w1: hello group=ocr credit=9             -> w1 welcome
log: auto
g1: publish                              -> g1 accepted e1 ; w1 deliver e1
