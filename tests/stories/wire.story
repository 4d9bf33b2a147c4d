# bytes that are no packet, and a packet that is too large, change nothing: the connection stays   [R-WIRE-4] [R-WIRE-6]
log: auto
w1: hello group=ocr credit=5             -> w1 welcome
g1: publish                              -> g1 accepted e1 ; w1 deliver e1
w1: garbage                              -> w1 error bad_frame about=unknown
w1: huge                                 -> w1 error too_large about=unknown
w1: ack e1                               -> w1 settled e1
g1: garbage                              -> g1 error bad_frame about=unknown
g1: publish count=2                      -> g1 accepted e2 ; g1 accepted e3 ; w1 deliver e2 ; w1 deliver e3
