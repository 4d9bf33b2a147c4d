# a seek forgets what was held and parked, and the order begins anew   [R-CHANGE-4] [R-ORDER-1]
log: auto
w1: hello group=ocr ordering=key credit=20 -> w1 welcome
g1: publish key=a                         -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a                         -> g1 accepted e2
g1: publish key=b                         -> g1 accepted e3 ; w1 deliver e3
g1: publish key=b                         -> g1 accepted e4
w1: nack e3 delay=1s                      -> w1 settled e3
a1: manage group_seek group=ocr start=first -> w1 revoke e1 stale ; a1 answer ok ; w1 deliver e1 attempt=1 ; w1 deliver e3 attempt=1
w1: ack e1 e3                             -> w1 settled e1 ; w1 settled e3 ; w1 deliver e2 ; w1 deliver e4
w1: gone                                  -> nothing
a1: manage group_delete group=ocr         -> a1 answer ok
w1: hello group=ocr ordering=key credit=20 start=first -> w1 welcome ; w1 deliver e1 attempt=1 ; w1 deliver e3 attempt=1
