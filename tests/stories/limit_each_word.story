# a limit by a word of the topic   [R-LIMIT-2]
log: auto
w1: hello group=ocr limit_each=2 limit_by=word:2 credit=20 -> w1 welcome
g1: publish topic=docs.a.x count=3        -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1 ; w1 deliver e2
g1: publish topic=docs.b                  -> g1 accepted e4 ; w1 deliver e4
w1: ack e2                                -> w1 settled e2 ; w1 deliver e3
