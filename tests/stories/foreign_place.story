# a claim outside the positions names nobody's event   [R-ADOPT-1]
log: auto
w1: hello group=ocr credit=1             -> w1 welcome
w2: hello group=other credit=1           -> w2 welcome
g1: publish                              -> g1 accepted e1 ; w1 deliver e1 ; w2 deliver e1
w1: gone                                 -> nothing
w2: gone                                 -> nothing
# the place of group 1's event, as the core writes it for group 2: 1 xor 2, shifted by 53
w2: hello group=other credit=1 holds=27021597764222976+e1/1 -> w2 welcome ; w2 deliver e1 attempt=1
w1: hello group=ocr credit=1 holds=e1/1  -> w1 welcome kept=e1/1
# an attempt that was never given is not kept either
crash ; restart                          -> log recover
w1: hello group=ocr credit=1 holds=e1/7  -> w1 welcome
