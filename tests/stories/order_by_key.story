# events of one key go out one at a time, in log order; other keys, and events without one, go beside them   [R-ORDER-1] P4
log: auto
w1: hello group=ocr ordering=key credit=20 -> w1 welcome
w2: hello group=ocr ordering=key credit=20 -> w2 welcome
g1: publish key=a                         -> g1 accepted e1 ; w1 deliver e1
g1: publish key=a                         -> g1 accepted e2
g1: publish key=b                         -> g1 accepted e3 ; w2 deliver e3
g1: publish count=2                       -> g1 accepted e4 ; g1 accepted e5 ; w1 deliver e4 ; w2 deliver e5
g1: publish key=a                         -> g1 accepted e6
w1: ack e4                                -> w1 settled e4
w1: ack e1                                -> w1 settled e1 ; w1 deliver e2
w2: ack e3                                -> w2 settled e3
w1: reject e2                             -> w1 settled e2 ; w2 deliver e6
# what fails keeps its key until it is over: nack, timeout, a lost worker, a release   [R-ORDER-2]
g1: publish key=a                         -> g1 accepted e7
w2: nack e6 delay=1s                      -> w2 settled e6
wait 500ms                                -> nothing
wait 1s                                   -> w1 deliver e6 attempt=2
wait 31s                                  -> w2 revoke e5 timeout ; w1 revoke e6 timeout ; w2 deliver e5 attempt=2
wait 3s                                   -> w1 deliver e6 attempt=3
w1: release e6                            -> w2 deliver e6 attempt=3
w2: gone                                  -> nothing
wait 10s                                  -> w1 deliver e5 attempt=3 ; w1 deliver e6 attempt=4
w1: ack e6                                -> w1 settled e6 ; w1 deliver e7 attempt=1
w1: ack e7 e5                             -> w1 settled e7 ; w1 settled e5
wait 1h                                   -> nothing
