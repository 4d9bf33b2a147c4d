# numbers are remembered over a restart; a new publisher id begins anew   [R-PUB-4] [R-PUB-6]
log: auto
g1: publish count=3                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3
crash ; restart                          -> log recover
g1: hello unanswered=2                   -> g1 welcome known=1
g1: publish number=2                     -> g1 accepted e2 duplicate
g1: publish number=3                     -> g1 accepted e3 duplicate
g1: publish                              -> g1 accepted e4
p9: hello unanswered=7                   -> p9 welcome known=0
