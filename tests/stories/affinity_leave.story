# a session waits no longer for a worker that says that it leaves   [R-ORDER-5] [R-DRAIN-2]
log: auto
w1: hello group=ocr affinity=session affinity_wait=5m credit=1 -> w1 welcome
w2: hello group=ocr credit=9              -> w2 welcome
g1: publish session=s                     -> g1 accepted e1 ; w1 deliver e1
g1: publish session=s                     -> g1 accepted e2
wait 10s                                  -> nothing
w1: message drain                         -> w1 drain ; w2 deliver e2
g1: publish session=s                     -> g1 accepted e3 ; w2 deliver e3
