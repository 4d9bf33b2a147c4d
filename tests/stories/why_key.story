# behind a key: which event, and who has it; a dead letter   [R-WHY-1]
log: auto
w1: hello group=ocr ordering=1 max_deliveries=1 credit=5 -> w1 welcome
g1: publish key=a                        -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a                        -> g1 accepted e2
a1: query why e2                         -> a1 answer ok ; a1 why e2 ocr key by=e1 worker=w1
a1: query groups group=ocr               -> a1 answer ok groups=1 lag=1 wait=nothing
w1: reject e1                            -> w1 settled e1 ; w1 deliver e2
a1: query why e1                         -> a1 answer ok ; a1 why e1 ocr dead
