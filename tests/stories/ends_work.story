# what ends work needs no credit: settle, extend, release, cancel, unsubscribe   [R-CREDIT-6]
log: auto
w1: hello group=ocr credit=4             -> w1 welcome
p1: hello credit=1                       -> p1 welcome
p1: subscribe s1                         -> p1 subscribed s1 ; p1 caught_up s1
g1: publish count=5                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4 ; g1 accepted e5 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3 ; w1 deliver e4 ; p1 event s1 e1
w1: ack e1                               -> w1 settled e1
w1: nack e2 delay=1h                     -> w1 settled e2
w1: extend e3 for=60s                    -> nothing
p1: cancel e3                            -> w1 cancel e3
w1: release e3                           -> nothing
w1: reject e4                            -> w1 settled e4
p1: unsubscribe s1                       -> p1 ended s1 ok
w1: credit deliver=5                     -> w1 deliver e3 attempt=1
