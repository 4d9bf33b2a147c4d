# a restart of the coordinator is no failure of what was out: that goes again outside the budget; what had failed before does not   [R-RETRY-3]
log: auto
w1: hello group=ocr retry_percent=1 retry_floor=1 credit=1000      -> w1 welcome
g1: publish count=30                       -> 30x g1 accepted ; 30x w1 deliver attempt=1
w1: nack e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11 e12 e13 e14 delay=1ms -> 14x w1 settled
wait 10ms                                  -> 10x w1 deliver attempt=2
snapshot                                   -> snapshot equal
crash ; restart                            -> log recover
w2: hello group=ocr credit=1000            -> w2 welcome
# sixteen that were out for the first time, and, with what lies there from the beginning, ten of the fourteen others
wait 5s                                    -> 16x w2 deliver attempt=2
wait 10ms                                  -> 10x w2 deliver attempt=3
a1: query groups group=ocr                 -> a1 answer ok groups=1 wait=retry_budget retries_waiting=4
wait 4s                                    -> 4x w2 deliver attempt=3
