# a letter that is being delivered again survives a crash as such: who has it keeps it, and its place is not settled by what lies around it   [R-DEAD-4]
log: auto
w1: hello group=ocr credit=9                   -> w1 welcome
p1: publish                                    -> p1 accepted e1 ; w1 deliver e1 attempt=1
w1: reject e1                                  -> w1 settled e1
a1: manage dead_retry group=ocr                -> a1 answer ok count=1 ; w1 deliver m1 attempt=1 first=e1
p1: publish count=2                            -> p1 accepted e2 ; p1 accepted e3 ; w1 deliver e2 ; w1 deliver e3
w1: ack e2 e3                                  -> w1 settled e2 ; w1 settled e3
snapshot                                       -> snapshot equal
crash ; restart                                -> log recover
w2: hello group=ocr credit=9                   -> w2 welcome
wait 1s                                        -> nothing
w1: hello group=ocr credit=9 holds=m1/1        -> w1 welcome kept=m1/1
wait 6s                                        -> nothing
# a timeout counts from there on, and the event stays what it is
wait 35s                                       -> w1 revoke m1 timeout ; w2 deliver m1 attempt=2 first=e1
snapshot                                       -> snapshot equal
w2: ack m1                                     -> w2 settled m1
a1: query dead group=ocr                       -> a1 answer ok
crash ; restart                                -> log recover
w1: hello group=ocr credit=9                   -> w1 welcome
wait 1m                                        -> nothing
a1: query dead group=ocr                       -> a1 answer ok
