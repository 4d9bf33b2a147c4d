# an event in parts may have a delay; when it is due, or the window is about to drop it, it comes again with its parts   [R-DELAY-1] [R-PART-9]
log: auto
w1: hello group=ocr credit=20 bytes=10000000   -> w1 welcome
p1: parts of=3                                 -> nothing
p1: publish number=1 body=0 delay=60s          -> p1 accepted e1
p1: parts of=2                                 -> nothing
p1: publish topic=mail                         -> p1 accepted e3
p1: publish number=2 body=0 delay=70s          -> p1 accepted e2
# the second stands behind this place, its parts before it
log: trim e3                                   -> nothing
snapshot                                       -> snapshot equal
crash ; restart                                -> log recover
w1: hello group=ocr credit=20 bytes=10000000   -> w1 welcome
snapshot                                       -> snapshot equal
p2: publish topic=mail count=2                 -> p2 accepted e4 ; p2 accepted e5
log: trim e5                                   -> nothing
snapshot                                       -> snapshot equal
crash ; restart                                -> log recover
w1: hello group=ocr credit=20 bytes=10000000   -> w1 welcome
p2: publish topic=mail                         -> p2 accepted e6
wait 60s                                       -> w1 part m1 0/3 ; w1 part m1 1/3 ; w1 part m1 2/3 ; w1 deliver m1 attempt=1 first=e1
wait 10s                                       -> w1 part m2 0/2 ; w1 part m2 1/2 ; w1 deliver m2 attempt=1 first=e2
# what has come is whole for as long as any event: its parts were written again before it
w1: gone                                       -> nothing
log: trim e6                                   -> nothing
w2: hello group=ocr credit=20 bytes=10000000   -> w2 welcome
wait 7s                                        -> w2 part m1 0/3 ; w2 part m1 1/3 ; w2 part m1 2/3 ; w2 deliver m1 attempt=2 first=e1 ; w2 part m2 0/2 ; w2 part m2 1/2 ; w2 deliver m2 attempt=2 first=e2
w2: ack m1 m2                                  -> w2 settled m1 ; w2 settled m2
# it is refused as others are
p2: parts of=2                                 -> nothing
p2: publish number=4 body=0 delay=9601h        -> p2 refused e7 bad_request
snapshot                                       -> snapshot equal
