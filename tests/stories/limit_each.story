# so many run at once for each value of a header   [R-LIMIT-2]
log: auto
w1: hello group=ocr limit_each=1 limit_by=header:model ordering=key credit=20 -> w1 welcome
w2: hello group=ocr credit=20             -> w2 welcome
g1: publish header=model:gpt              -> g1 accepted e1 ; w1 deliver e1
g1: publish header=model:gpt key=a        -> g1 accepted e2
g1: publish header=model:x key=a          -> g1 accepted e3
g1: publish header=model:x                -> g1 accepted e4 ; w2 deliver e4
g1: publish                               -> g1 accepted e5 ; w1 deliver e5
# what failed does not run; its key waits, its place is another's
w1: nack e1 delay=1s                      -> w1 settled e1 ; w2 deliver e2
wait 2s                                   -> nothing
w2: ack e2                                -> w2 settled e2 ; w1 deliver e1 attempt=2
w2: ack e4                                -> w2 settled e4 ; w2 deliver e3
# what may run after a restart has its place
crash ; restart                           -> log recover
w1: hello group=ocr credit=20 holds=e1/2  -> w1 welcome kept=e1/2
g1: publish header=model:gpt              -> g1 accepted e6
g1: publish header=model:x                -> g1 accepted e7
g1: publish header=model:y                -> g1 accepted e8 ; w1 deliver e8
w1: ack e1                                -> w1 settled e1 ; w1 deliver e6
wait 10s                                  -> w1 deliver e5 attempt=2 ; w1 deliver e7
w1: ack e7                                -> w1 settled e7 ; w1 deliver e3 attempt=2
