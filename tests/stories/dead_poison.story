# an event whose worker is lost time and again is a dead letter, though nobody said a word of it   [R-DEAD-2]
log: auto
w1: hello group=ocr credit=1 max_deaths=2      -> w1 welcome
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
p1: publish                                    -> p1 accepted e1 ; w1 deliver e1 attempt=1
# a nack is no death
w1: nack e1 ; w1: credit deliver=2             -> w1 settled e1
wait 2s                                        -> w1 deliver e1 attempt=2
w1: gone ; wait 6s                             -> nothing
w2: hello group=ocr credit=1                   -> w2 welcome
wait 3s                                        -> w2 deliver e1 attempt=3
# who comes back with it was not lost
w2: gone ; wait 1s                             -> nothing
w2: hello group=ocr credit=2 holds=e1/3        -> w2 welcome kept=e1/3
w2: gone ; wait 4s                             -> nothing
# nor was it while the coordinator restarts: that is the coordinator's fault
crash ; restart                                -> log recover
w3: hello group=ocr credit=1                   -> w3 welcome
wait 8s                                        -> w3 deliver e1 attempt=4
snapshot                                       -> snapshot equal
a1: subscribe s1 filter=$dlq.ocr               -> a1 subscribed s1 ; a1 caught_up s1
w3: gone ; wait 8s                             -> a1 event s1 m1 cause=e1 reason=max_deaths attempts=4 worker=w3 copy=e1
