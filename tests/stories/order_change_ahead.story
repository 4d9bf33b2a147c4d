# what was found of later events while one was handed out does not outlive a change of the order   [R-CHANGE-1] [R-ORDER-1]
log: auto
w1: hello group=ocr ordering=session credit=1 -> w1 welcome
g1: publish key=a count=8                 -> 8x g1 accepted ; w1 deliver e1
a1: manage group_pause group=ocr          -> a1 answer ok
w1: ack e1                                -> w1 settled e1
a1: manage group_set group=ocr ordering=key -> a1 answer ok
w2: hello group=ocr credit=20             -> w2 welcome
a1: manage group_resume group=ocr         -> a1 answer ok ; w2 deliver e2
w2: ack e2                                -> w2 settled e2 ; w2 deliver e3
