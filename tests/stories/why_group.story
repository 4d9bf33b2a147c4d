# with ordering=group all that follow wait for the one that is out   [R-WHY-1]
log: auto
w1: hello group=ocr ordering=group credit=5 -> w1 welcome
g1: publish count=3                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1
a1: query why e2                         -> a1 answer ok ; a1 why e2 ocr key by=e1 worker=w1
a1: query why e3                         -> a1 answer ok ; a1 why e3 ocr key by=e1 worker=w1
w1: nack e1 delay=1h                     -> w1 settled e1
a1: query why e3                         -> a1 answer ok ; a1 why e3 ocr key by=e1
