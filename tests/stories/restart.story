# after a restart: settled stays settled, failed keeps its attempts, what was handed out waits for its worker   [R-ADOPT-2] P1
log: auto
w1: hello group=ocr credit=3             -> w1 welcome
g1: publish count=5                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4 ; g1 accepted e5 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3
w1: ack e2                               -> w1 settled e2
w1: nack e3 delay=1s                     -> w1 settled e3
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
w2: hello group=ocr credit=9             -> w2 welcome
g1: hello                                -> g1 welcome
g1: publish                              -> g1 accepted e6 ; w2 deliver e6 attempt=1
wait 4s                                  -> nothing
wait 2s                                  -> w2 deliver e1 attempt=2 ; w2 deliver e3 attempt=2 ; w2 deliver e4 attempt=2 ; w2 deliver e5 attempt=2
w2: ack e1 e3 e4 e5 e6                   -> w2 settled e1 ; w2 settled e3 ; w2 settled e4 ; w2 settled e5 ; w2 settled e6
crash ; restart                          -> log recover
w2: hello group=ocr credit=9             -> w2 welcome
wait 1h                                  -> nothing
