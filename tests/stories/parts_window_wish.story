# an event whose first part is about to leave the window is refused, not lost with it: its author tries again under a new number   [R-PART-4] P1
p1: parts of=2                                 -> log block=1
log: committed 1                               -> nothing
g1: publish delay=60s                          -> log block=2
log: committed 2                               -> g1 accepted e2
g1: publish                                    -> log block=3
log: committed 3                               -> g1 accepted e3
# the delayed event is written again first
log: trim e3                                   -> log block=4 ; log kept
p1: publish number=1 body=0                    -> p1 refused overloaded
log: committed 4                               -> nothing
