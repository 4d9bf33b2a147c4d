# the next of a key goes out after the commit of the settle before it, not before   [R-ORDER-2]
w1: hello group=ocr ordering=key credit=20 -> log block=1
log: committed 1                          -> w1 welcome
g1: publish key=a                         -> log block=2
log: committed 2                          -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a                         -> log block=3
log: committed 3                          -> g1 accepted e2
# a block that was closed before the settle says nothing about it
g1: publish key=b                         -> log block=4
w1: ack e1                                -> nothing
log: committed 4                          -> g1 accepted e3 ; w1 deliver e3 ; log block=5
wait 10s                                  -> nothing
log: committed 5                          -> w1 settled e1 ; w1 deliver e2
w1: ack e2                                -> log block=6
crash ; restart                           -> log recover
# its settle was lost with the block: it is still the first of its key
w2: hello group=ocr ordering=key credit=9 -> w2 welcome ; log block=6
w1: hello group=ocr ordering=key credit=9 holds=e2/1,e3/1 -> w1 welcome kept=e2/1,e3/1
