# a worker that leaves is given nothing more, whatever its credit, and what it gave back goes to another at once   [R-DRAIN-2]
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
g1: publish count=3                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1 ; w1 deliver e2 ; w1 deliver e3
w1: message drain                        -> w1 drain
g1: publish                              -> g1 accepted e4
w1: ack e1                               -> w1 settled e1
w1: release e2                           -> nothing
w1: credit deliver=20                    -> nothing
w2: hello group=ocr credit=5             -> w2 welcome ; w2 deliver e2 attempt=1 ; w2 deliver e4
w1: ack e3                               -> w1 settled e3
w1: gone                                 -> nothing
w1: hello group=ocr credit=1             -> w1 welcome
w2: ack e2                               -> w2 settled e2
w2: ack e4                               -> w2 settled e4
w2: message drain                        -> w2 drain
g1: publish                              -> g1 accepted e5 ; w1 deliver e5 attempt=1
# of a large event that is under way in parts it has seen no delivery yet, and will see none: another worker has it
w3: hello group=big filters=large credit=9 bytes=1000000 -> w3 welcome
w4: hello group=big filters=large bytes=1000000 -> w4 welcome
p1: parts of=6 last=3                    -> nothing
p1: parts number=1 of=6 first=4          -> nothing
turns single                             -> nothing
p1: publish number=1 body=0 topic=large  -> log block=13
log: committed 13                        -> p1 accepted e6 ; w3 part e6 0/6 ; w3 part e6 1/6 ; w3 part e6 2/6 ; w3 part e6 3/6
w3: message drain                        -> w3 drain
turns all                                -> nothing
w4: credit deliver=1                     -> w4 part e6 0/6 ; w4 part e6 1/6 ; w4 part e6 2/6 ; w4 part e6 3/6 ; w4 part e6 4/6 ; w4 part e6 5/6 ; w4 deliver e6 attempt=1
