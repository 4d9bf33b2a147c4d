# what expired before it in its key does not take an event from the worker that has it after a restart   [R-ORDER-3] P10
w1: hello group=ocr ordering=key credit=9 -> log block=1
log: committed 1                          -> w1 welcome
g1: publish key=a                         -> log block=2
log: committed 2                          -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a ttl=1s                  -> log block=3
log: committed 3                          -> g1 accepted e2
g1: publish key=a                         -> log block=4
log: committed 4                          -> g1 accepted e3
wait 2s                                   -> nothing
w1: ack e1                                -> log block=5
log: committed 5                          -> w1 settled e1 ; log block=6
# e3 goes out when it is committed that e2 has expired
log: committed 6                          -> w1 deliver e3
crash ; restart                           -> log recover
w1: hello group=ocr ordering=key credit=9 holds=e3/1 -> w1 welcome kept=e3/1 ; log block=7
