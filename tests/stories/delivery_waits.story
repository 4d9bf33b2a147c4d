# a delivery comes after its event's block is committed, never before   [R-DELIV-1]
w1: hello group=ocr credit=9             -> log block=1
log: committed 1                         -> w1 welcome
g1: publish                              -> log block=2 records=2
g1: publish                              -> nothing
log: committed 2                         -> g1 accepted e1 ; w1 deliver e1 ; log block=3 records=2
log: committed 3                         -> g1 accepted e2 ; w1 deliver e2
# and, for what was stored while nobody could take it, after the record that raises `handed`   [R-DELIV-1]
w2: hello group=late start=first credit=9 -> log block=4 records=1
log: committed 4                         -> w2 welcome ; log block=5 records=1
log: committed 5                         -> w2 deliver e1 ; w2 deliver e2
