# options are changed by an admin; those who come with the old ones are refused   [R-CHANGE-1]
log: auto
w1: hello group=ocr lease=30s credit=9   -> w1 welcome
g1: publish                              -> g1 accepted e1 ; w1 deliver e1
a1: manage group_set group=ocr lease=5s  -> a1 answer ok
w2: hello group=ocr lease=30s            -> w2 error conflict about=hello ; w2 forgotten
g1: publish                              -> g1 accepted e2 ; w1 deliver e2
# what is on loan keeps the time it was given
wait 6s                                  -> w1 revoke e2 timeout
wait 2s                                  -> w1 deliver e2 attempt=2
w1: ack e2                               -> w1 settled e2
wait 15s                                 -> nothing
wait 10s                                 -> w1 revoke e1 timeout ; w1 deliver e1 attempt=2
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
w3: hello group=ocr lease=5s credit=1    -> w3 welcome
# what decides which events may be at work together changes only while none is
a1: manage group_set group=ocr ordering=key -> a1 answer conflict
a1: manage group_set group=ocr ordering=9 -> a1 answer unsupported
