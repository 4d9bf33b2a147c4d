# the answer to a repeat waits for the first one's commit; what was not committed was not accepted   [R-TOKEN-1] [R-TOKEN-2] P2
g1: publish token=a                      -> log block=1
g1: publish token=a                      -> nothing
p1: publish token=b                      -> nothing
p1: publish token=b number=1             -> nothing
log: committed 1                         -> g1 accepted e1 ; g1 accepted e1 duplicate ; log block=2
crash ; restart                          -> log recover blocks=1
log: auto
p1: publish token=b                      -> p1 accepted e4
g1: publish token=a                      -> g1 accepted e1 duplicate
