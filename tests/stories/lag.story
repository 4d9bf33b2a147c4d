# how much waits: exact while what is unread is in memory   [R-LAG-1]
log: auto
w1: hello group=ocr credit=2             -> w1 welcome
g1: publish count=5                      -> 5x g1 accepted ; w1 deliver e1 ; w1 deliver e2
a1: query groups group=ocr               -> a1 answer ok lag=3 wait=no_credit
g1: publish topic=x.y                    -> g1 accepted e6
w1: nack e1 delay=1h                     -> w1 settled e1
a1: query groups group=ocr               -> a1 answer ok lag=4 wait=no_credit
w1: credit deliver=9                     -> w1 deliver e3 ; w1 deliver e4 ; w1 deliver e5
a1: query groups group=ocr               -> a1 answer ok lag=1 wait=nothing
w1: ack e2 e3 e4 e5                      -> 4x w1 settled
w1: gone                                 -> nothing
g1: publish count=7                      -> 7x g1 accepted
a1: query groups group=ocr               -> a1 answer ok lag=8 wait=no_worker
# an estimate where it is not in memory; exact again when it was read
crash ; restart                          -> log recover
a1: query groups group=ocr               -> a1 answer ok estimate wait=no_worker
g1: hello                                -> g1 welcome
w1: hello group=ocr credit=9 ; wait 7s   -> w1 welcome ; w1 deliver e7 ; w1 deliver e8 ; w1 deliver e9 ; w1 deliver e10 ; w1 deliver e11 ; w1 deliver e12 ; w1 deliver e13
a1: query groups group=ocr               -> a1 answer ok lag=1
