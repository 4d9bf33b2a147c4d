# a lost worker's events wait for it to come back, then go to another   [R-GONE-1] [R-ADOPT-1] [R-ADOPT-3]
log: auto
w1: hello group=ocr credit=2             -> w1 welcome
g1: publish count=2                      -> g1 accepted e1 ; g1 accepted e2 ; w1 deliver e1 ; w1 deliver e2
w1: gone                                 -> nothing
w2: hello group=ocr credit=5             -> w2 welcome
# what it does not name when it is back was lost on the way: that goes out at once
w1: hello group=ocr credit=2 holds=e1/1  -> w1 welcome kept=e1/1 ; w2 deliver e2 attempt=1
w1: ack e1                               -> w1 settled e1
w2: ack e2                               -> w2 settled e2
g1: publish                              -> g1 accepted e3 ; w1 deliver e3
w1: gone                                 -> nothing
wait 4s                                  -> nothing
wait 3s                                  -> w2 deliver e3 attempt=2
w2: ack e3                               -> w2 settled e3
