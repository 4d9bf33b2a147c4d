# what leaves the window while it is read back after a restart is not kept, and holds no key   [R-ORDER-3] [R-GROUP-3] [R-ADOPT-1] P4
log: auto
a1: subscribe s1 filter=$sys.>           -> a1 subscribed s1 ; a1 caught_up s1
w1: hello group=ocr ordering=key credit=9 backoff=1s -> w1 welcome
g1: publish key=a                        -> g1 accepted e1 ; w1 deliver e1 attempt=1
w1: nack e1 delay=1s                     -> w1 settled e1
wait 2s                                  -> w1 deliver e1 attempt=2
g1: publish key=a                        -> g1 accepted e2
g1: publish key=b                        -> g1 accepted e3 ; w1 deliver e3 attempt=1
crash ; restart                          -> log recover
log: slow                                -> nothing
w1: hello group=ocr ordering=key credit=9 holds=e1/2,e3/1 -> nothing
log: trim e2                             -> nothing
log: quick                               -> w1 welcome kept=e3/1
