# nothing goes to a worker without credit; credit counts redeliveries; a lower limit is ignored   [R-CREDIT-1] [R-CREDIT-4]
log: auto
w1: hello group=ocr credit=0             -> w1 welcome
g1: publish count=3                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3
w1: credit deliver=1                     -> w1 deliver e1
w1: credit deliver=0                     -> nothing
w1: nack e1 delay=1s                     -> w1 settled e1
w1: credit deliver=2                     -> w1 deliver e2
wait 2s                                  -> nothing
w1: credit deliver=3                     -> w1 deliver e1 attempt=2
# bytes are a threshold: a large event never waits for ever   [R-CREDIT-5]
w2: hello group=big filters=big.> credit=10 bytes=1 -> w2 welcome
g1: publish topic=big.a body=1000        -> g1 accepted e4 ; w2 deliver e4
g1: publish topic=big.a body=1000        -> g1 accepted e5
w2: credit deliver=10 bytes=5000         -> w2 deliver e5
# publishing is the coordinator's credit to give   [R-CREDIT-2]
g1: credit events=0                      -> nothing
