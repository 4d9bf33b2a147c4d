# until the commit of its drop a crash brings a dead letter back: so long the window keeps its place   [R-DEAD-4] [R-DEAD-6] P1
w1: hello group=ocr credit=9             -> log block=1
log: committed 1                         -> w1 welcome
p1: publish                              -> log block=2
log: committed 2                         -> p1 accepted e1 ; w1 deliver e1
w1: reject e1                            -> log block=3
log: committed 3                         -> w1 settled e1 ; log block=4
log: committed 4                         -> nothing
p1: publish topic=mail                   -> log block=5
log: committed 5                         -> p1 accepted e2
a1: manage dead_drop group=ocr e1        -> log block=6
log: trim e2                             -> log kept
crash ; restart                          -> log recover blocks=5
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
a1: manage dead_retry group=ocr e1       -> a1 answer ok count=1
wait 6s                                  -> w1 deliver m1 attempt=1 first=e1
