# a number whose event was a repeat has no place of its own; sent again it is answered by its token   [R-TOKEN-5] [R-PUB-4]
log: auto
p1: publish token=a                      -> p1 accepted e1
g1: publish token=a                      -> g1 accepted e1 duplicate
g1: publish                              -> g1 accepted e3
g1: publish token=a number=1             -> g1 accepted e1 duplicate
crash ; restart                          -> log recover
g1: hello unanswered=1                   -> g1 welcome
g1: publish token=a number=1             -> g1 accepted e1 duplicate
g1: publish number=2                     -> g1 accepted e3 duplicate
# as long as the token lives
wait 11m                                 -> nothing
g1: publish token=a number=1             -> g1 refused e2 stale
