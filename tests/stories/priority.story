# what is urgent overtakes what waits; what waits is not forgotten   [R-PRIO-1]
log: auto                                        -> nothing
w1: hello group=ocr credit=1                     -> w1 welcome
g1: publish count=3                              -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1 attempt=1
g1: publish priority=3 count=2                   -> g1 accepted e4 ; g1 accepted e5
g1: publish priority=1                           -> g1 accepted e6
w1: credit deliver=2                             -> w1 deliver e4 attempt=1 priority=3
w1: credit deliver=3                             -> w1 deliver e5 attempt=1 priority=3
w1: credit deliver=4                             -> w1 deliver e6 attempt=1 priority=1
w1: ack e1 e4 e5 e6                              -> w1 settled e1 ; w1 settled e4 ; w1 settled e5 ; w1 settled e6
w1: credit deliver=6                             -> w1 deliver e2 attempt=1 ; w1 deliver e3 attempt=1
w1: ack e2 e3                                    -> w1 settled e2 ; w1 settled e3
# one that goes first does not starve the others: of eight turns the lowest has one, the eighth
g1: publish                                      -> g1 accepted e7
w1: credit deliver=7                             -> w1 deliver e7 attempt=1
g1: publish                                      -> g1 accepted e8
g1: publish priority=3 count=3                   -> g1 accepted e9 ; g1 accepted e10 ; g1 accepted e11
w1: credit deliver=8                             -> w1 deliver e8 attempt=1
w1: credit deliver=9                             -> w1 deliver e9 attempt=1 priority=3
w1: credit deliver=10                            -> w1 deliver e10 attempt=1 priority=3
# a failed one keeps its priority, also over a restart; a worker says it with what it holds   [R-ADOPT-1]
w1: ack e7                                       -> w1 settled e7
w1: nack e9 delay=60s                            -> w1 settled e9
snapshot                                         -> snapshot equal
crash ; restart                                  -> log recover
w1: hello group=ocr credit=4 holds=e8/1,e10/1/3  -> w1 welcome kept=e8/1,e10/1
w1: ack e8 e10                                   -> w1 settled e8 ; w1 settled e10
wait 6s                                          -> w1 deliver e11 attempt=2 priority=3
w1: ack e11                                      -> w1 settled e11
wait 61s                                         -> w1 deliver e9 attempt=2 priority=3
w1: ack e9                                       -> w1 settled e9
crash ; restart                                  -> log recover
w1: hello group=ocr credit=4                     -> w1 welcome
wait 10s                                         -> nothing
