# an event that has expired is not delivered but settled   [R-PUB-10]
log: auto
w1: hello group=ocr credit=0             -> w1 welcome
g1: publish ttl=5s                       -> g1 accepted e1
wait 6s                                  -> nothing
g1: publish ttl=5s                       -> g1 accepted e2
w1: credit deliver=5                     -> w1 deliver e2
