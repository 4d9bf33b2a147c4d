# a session stays with the worker that has it warm   [R-ORDER-5]
log: auto
w1: hello group=ocr affinity=session affinity_wait=5s credit=2 -> w1 welcome
w2: hello group=ocr affinity=session credit=20 -> w2 welcome
g1: publish session=s                     -> g1 accepted e1 ; w1 deliver e1
g1: publish session=t                     -> g1 accepted e2 ; w2 deliver e2
g1: publish session=s                     -> g1 accepted e3 ; w1 deliver e3
g1: publish session=t                     -> g1 accepted e4 ; w2 deliver e4
# without credit there it waits so long, others go on; credit ends the wait
g1: publish session=s                     -> g1 accepted e5
g1: publish                               -> g1 accepted e6 ; w2 deliver e6
w1: credit deliver=3                      -> w1 deliver e5
g1: publish session=s count=2             -> g1 accepted e7 ; g1 accepted e8
wait 4s                                   -> nothing
wait 2s                                   -> w2 deliver e7 ; w2 deliver e8
g1: publish session=s                     -> g1 accepted e9 ; w2 deliver e9
# a worker that joins disturbs nobody; one that leaves lets its sessions go at once
w3: hello group=ocr affinity=session credit=20 -> w3 welcome
g1: publish session=t                     -> g1 accepted e10 ; w2 deliver e10
w2: gone                                  -> nothing
g1: publish session=t                     -> g1 accepted e11 ; w3 deliver e11
w2: hello group=ocr affinity=session credit=20 holds=e2/1,e4/1,e6/1,e7/1,e8/1,e9/1,e10/1 -> w2 welcome
g1: publish session=t                     -> g1 accepted e12 ; w3 deliver e12
