# questions are answered with their id: groups and counters, of the own tenant or of any that the credential allows   [R-QUERY-1]
log: auto
w1: hello group=ocr credit=0             -> w1 welcome
w2: hello group=ocr tenant=other credit=0 -> w2 welcome
p1: query groups                         -> p1 answer ok groups=1
p1: query stats                          -> p1 answer forbidden
a1: query stats                          -> a1 answer ok stats=yes
p1: query groups tenant=other            -> p1 answer forbidden
g1: query groups tenant=other            -> g1 answer ok groups=1
a1: query groups                         -> a1 answer ok groups=2
a1: query nonsense                       -> a1 answer unsupported
