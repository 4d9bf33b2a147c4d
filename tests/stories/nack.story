# a nack's delay is kept, and the attempt counts; a reject ends it   [R-SETTLE-2] [R-LEASE-5]
log: auto
w1: hello group=ocr credit=5             -> w1 welcome
g1: publish                              -> g1 accepted e1 ; w1 deliver e1 attempt=1
w1: nack e1 delay=10s                    -> w1 settled e1
wait 9s                                  -> nothing
wait 2s                                  -> w1 deliver e1 attempt=2
w1: reject e1                            -> w1 settled e1
wait 1h                                  -> nothing
