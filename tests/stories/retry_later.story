# a refusal that is about now uses up its number, too: the event goes out again under a new one   [R-PUB-9] [R-PUB-4]
log: auto
g1: publish                              -> g1 accepted e1
drain                                    -> g1 drain
g1: publish                              -> g1 refused e2 draining
g1: publish number=2                     -> g1 refused e2 stale
g1: publish                              -> g1 refused e3 draining
g1: publish number=1                     -> g1 accepted e1 duplicate
