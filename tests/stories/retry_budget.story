# what fails in a mass is not retried in a mass: so many in a second, and a share of first deliveries; new events go on   [R-RETRY-1] [R-RETRY-2]
log: auto
w1: hello group=ocr retry_percent=10 retry_floor=1 credit=1000     -> w1 welcome
g1: publish count=20                       -> 20x g1 accepted ; 20x w1 deliver attempt=1
w1: nack e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11 e12 e13 e14 delay=1ms -> 14x w1 settled
# ten seconds of the floor lie there from the beginning
wait 10ms                                  -> 10x w1 deliver attempt=2
a1: query why e11                          -> a1 answer ok ; a1 why e11 ocr retry_budget attempt=2 until=+1s
a1: query why e13                          -> a1 answer ok ; a1 why e13 ocr retry_budget attempt=2 until=+3s
a1: query groups group=ocr                 -> a1 answer ok groups=1 wait=retry_budget retries_waiting=4
g1: publish                                -> g1 accepted e21 ; w1 deliver e21
wait 1s                                    -> w1 deliver e11 attempt=2
# a share of the first deliveries, too
g1: publish count=8                        -> 8x g1 accepted ; 8x w1 deliver attempt=1
g1: publish                                -> g1 accepted e30 ; w1 deliver e30 ; w1 deliver e12 attempt=2
