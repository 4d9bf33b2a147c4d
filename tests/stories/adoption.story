# after a crash a worker keeps what it holds, and nobody else is given it   [R-ADOPT-1] [R-ADOPT-2]
log: auto
w1: hello group=ocr credit=2            -> w1 welcome
g1: publish key=inv-7 body=40           -> g1 accepted e1 ; w1 deliver e1 attempt=1
crash ; restart                         -> log recover
w2: hello group=ocr credit=2            -> w2 welcome
w1: hello group=ocr credit=2 holds=e1/1 -> w1 welcome kept=e1/1
w1: ack e1 attempt=1                    -> w1 settled e1
wait 1h                                 -> nothing
