# what was settled or failed before it came back is not the worker's any more, though its record is still to be written   [R-ADOPT-1]
w1: hello group=ocr credit=2            -> log block=1
log: committed 1                        -> w1 welcome
g1: publish count=2                     -> log block=2
log: committed 2                        -> g1 accepted e1 ; g1 accepted e2 ; w1 deliver e1 attempt=1 ; w1 deliver e2 attempt=1
crash ; restart                         -> log recover
w1: hello group=ocr credit=2 holds=e1/1,e2/1 -> w1 welcome kept=e1/1,e2/1
g1: publish topic=other                 -> log block=3
w1: ack e1                              -> nothing
w1: nack e2 delay=1s                    -> nothing
w1: gone                                -> nothing
w1: hello group=ocr credit=2 holds=e1/1,e2/1 -> w1 welcome
log: committed 3                        -> g1 accepted e3 ; log block=4
log: committed 4                        -> nothing
wait 6s                                 -> w1 deliver e2 attempt=2 ; log block=5
