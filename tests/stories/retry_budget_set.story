# the terms of the budget are the group's: given by the first, changed by an admin, and nonsense is refused by name   [R-RETRY-1] [R-CHANGE-1]
log: auto
x1: hello group=ocr retry_floor=1000001    -> x1 error bad_request about=hello ; x1 forgotten
x2: hello group=ocr retry_percent=10001    -> x2 error bad_request about=hello ; x2 forgotten
w1: hello group=ocr credit=1000            -> w1 welcome
# what nobody stated is 100 and 100
w2: hello group=ocr retry_percent=100 retry_floor=100              -> w2 welcome
x3: hello group=ocr retry_floor=5          -> x3 error conflict about=hello ; x3 forgotten
x4: hello group=ocr retry_percent=5        -> x4 error conflict about=hello ; x4 forgotten
a1: manage group_set group=ocr retry_floor=1000001                 -> a1 answer bad_request
a1: manage group_set group=ocr retry_floor=1 retry_percent=1       -> a1 answer ok
snapshot                                   -> snapshot equal
crash ; restart                            -> log recover
w1: hello group=ocr retry_floor=1 retry_percent=1 credit=1000      -> w1 welcome
g1: publish count=20                       -> 20x g1 accepted ; 20x w1 deliver attempt=1
w1: nack e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11 e12 delay=1ms          -> 12x w1 settled
wait 10ms                                  -> 10x w1 deliver attempt=2
# a budget that holds nobody back
a1: manage group_set group=ocr retry_floor=1000000                 -> a1 answer ok ; 2x w1 deliver attempt=2
a1: query groups group=ocr                 -> a1 answer ok groups=1 wait=nothing retries_waiting=0
