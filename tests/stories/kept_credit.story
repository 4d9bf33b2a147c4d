# what a worker keeps counts as sent on the new connection   [R-ADOPT-4]
log: auto
w1: hello group=ocr credit=2             -> w1 welcome
g1: publish count=3                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1 ; w1 deliver e2
w1: gone                                 -> nothing
w1: hello group=ocr credit=2 holds=e1/1,e2/1 -> w1 welcome kept=e1/1,e2/1
w1: ack e1 attempt=1                     -> w1 settled e1
w1: credit deliver=3                     -> w1 deliver e3 attempt=1
# only what is unsettled is kept, and only in its time; what nobody claims goes out with the next attempt   [R-ADOPT-1] [R-ADOPT-2]
crash ; restart                          -> log recover
w1: hello group=ocr credit=1 holds=e1/1,e3/1 -> w1 welcome kept=e3/1
w1: ack e3 attempt=1                     -> w1 settled e3
w1: credit deliver=2                     -> nothing
wait 6s                                  -> w1 deliver e2 attempt=2
w1: gone                                 -> nothing
wait 6s                                  -> nothing
w1: hello group=ocr credit=0 holds=e2/2  -> w1 welcome
