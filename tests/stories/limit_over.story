# over its limit, as a settle was lost in a crash, a group gives out what comes back only when there is a place   [R-LIMIT-1] [R-LEASE-4]
w1: hello group=ocr limit=1 credit=5      -> log block=1
log: committed 1                          -> w1 welcome
g1: publish count=2                       -> log block=2
log: committed 2                          -> g1 accepted e1 ; g1 accepted e2 ; w1 deliver e1
w1: ack e1                                -> w1 deliver e2 ; log block=3
crash ; restart                           -> log recover
w1: hello group=ocr limit=1 credit=5 holds=e1/1,e2/1 -> w1 welcome kept=e1/1,e2/1 ; log block=3
log: auto
w1: release e2                            -> nothing
w1: ack e1                                -> w1 settled e1 ; w1 deliver e2 attempt=1
w1: ack e2                                -> w1 settled e2
