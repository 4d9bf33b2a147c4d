# an event that expired while it was with a worker unstarted is not delivered again   [R-PUB-10]
log: auto
w1: hello group=ocr credit=1             -> w1 welcome
g1: publish ttl=5s                       -> g1 accepted e1 ; w1 deliver e1
w2: hello group=ocr credit=1             -> w2 welcome
wait 6s                                  -> nothing
w1: release e1                           -> nothing
