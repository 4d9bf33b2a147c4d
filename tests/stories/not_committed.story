# what was not committed at the crash was never accepted, and its number is free   [R-PUB-2]
g1: publish                              -> log block=1
crash ; restart                          -> log recover blocks=0
g1: hello unanswered=1                   -> g1 welcome
g1: publish number=1                     -> log block=1
log: committed 1                         -> g1 accepted e1
