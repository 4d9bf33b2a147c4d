# a full block goes to the log behind the one being written; each is told with its own commit   [R-PUB-2] P1
p1: hello                              -> p1 welcome
w1: hello group=ocr credit=100         -> log block=1
log: committed 1                       -> w1 welcome
p1: publish                            -> log block=2
p1: publish count=2 body=60000 times=6 -> log block=3
p1: publish count=2 body=60000 times=6 -> nothing
log: committed 2                       -> p1 accepted e1 ; w1 deliver e1 ; log block=4
log: committed 3                       -> 12x p1 accepted ; 12x w1 deliver attempt=1
crash ; restart                        -> log recover blocks=3
