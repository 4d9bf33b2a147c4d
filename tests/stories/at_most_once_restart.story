# it is never offered after a restart, committed or not, whoever asks   [R-ONCE-3] P6
w1: hello group=ocr credit=5             -> log block=1
log: committed 1                         -> w1 welcome
p1: publish                              -> log block=2
log: committed 2                         -> p1 accepted e1 ; w1 deliver e1
p1: publish at_most_once                 -> w1 deliver e2 attempt=1 ; log block=3
log: committed 3                         -> p1 accepted e2
snapshot                                 -> snapshot equal
p1: publish at_most_once                 -> w1 deliver e3 attempt=1 ; log block=4
crash ; restart                          -> log recover blocks=3
log: auto
w2: hello group=ocr credit=9             -> w2 welcome
p1: publish                              -> p1 accepted e4 ; w2 deliver e4
wait 6s                                  -> w2 deliver e1 attempt=2
# a worker that says it holds one may keep it, behind others that were handed out; when that ends, so does the event   [R-ONCE-1] [R-ADOPT-1]
p1: publish at_most_once                 -> w2 deliver e5 attempt=1 ; p1 accepted e5
p1: publish                              -> p1 accepted e6 ; w2 deliver e6 attempt=1
p1: publish at_most_once                 -> w2 deliver e7 attempt=1 ; p1 accepted e7
crash ; restart                          -> log recover
w2: hello group=ocr credit=9 holds=e5/1,e7/1 -> w2 welcome kept=e5/1
w2: nack e5                              -> w2 settled e5
wait 6s                                  -> w2 deliver e4 attempt=2 ; w2 deliver e1 attempt=3 ; w2 deliver e6 attempt=2
w2: ack e4 e1 e6                         -> w2 settled e4 ; w2 settled e1 ; w2 settled e6
# nor does a reject make a dead letter of it, that could be retried
p1: publish at_most_once                 -> w2 deliver e8 attempt=1 ; p1 accepted e8
p1: publish                              -> p1 accepted e9 ; w2 deliver e9
crash ; restart                          -> log recover
w2: hello group=ocr credit=9 holds=e8/1,e9/1 -> w2 welcome kept=e8/1,e9/1
w2: reject e8                            -> w2 settled e8
w2: ack e9                               -> w2 settled e9
a1: manage dead_retry group=ocr          -> a1 answer ok count=0
wait 10m                                 -> nothing
snapshot                                 -> snapshot equal
