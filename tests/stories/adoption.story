# after a crash a worker keeps what it holds, and nobody else is given it   [R-ADOPT-1] [R-ADOPT-2]
log: auto
w1: hello group=ocr credit=2            -> w1 welcome
g1: publish key=inv-7 body=40           -> g1 accepted e1 ; w1 deliver e1 attempt=1
crash ; restart                         -> log recover
w2: hello group=ocr credit=2            -> w2 welcome
w1: hello group=ocr credit=2 holds=e1/1 -> w1 welcome kept=e1/1
w1: ack e1 attempt=1                    -> w1 settled e1
wait 1h                                 -> nothing
# nobody comes back for what may have been out, also after a failure: it goes out with the next attempt
g1: publish                             -> g1 accepted e2 ; w2 deliver e2 attempt=1
w2: nack e2 delay=1s                    -> w2 settled e2
wait 2s                                 -> w1 deliver e2 attempt=2
crash ; restart                         -> log recover
w3: hello group=ocr credit=2            -> w3 welcome
wait 6s                                 -> w3 deliver e2 attempt=3
w3: ack e2                              -> w3 settled e2
