# limits are raised and lowered while events are at work   [R-CHANGE-1] [R-LIMIT-1] [R-LIMIT-2]
log: auto
w1: hello group=ocr limit_each=1 limit_by=word:2 credit=20 -> w1 welcome
g1: publish topic=docs.a count=4          -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4 ; w1 deliver e1
a1: manage group_set group=ocr limit_each=3 -> a1 answer ok ; w1 deliver e2 ; w1 deliver e3
a1: manage group_set group=ocr limit_each=1 -> a1 answer ok
w1: ack e1 e2                             -> w1 settled e1 ; w1 settled e2
w1: ack e3                                -> w1 settled e3 ; w1 deliver e4
a1: manage group_set group=ocr limit=1    -> a1 answer ok
g1: publish topic=docs.b                  -> g1 accepted e5
a1: manage group_set group=ocr limit=2    -> a1 answer ok ; w1 deliver e5
