# a group may begin at a time: its first worker is welcomed when the place was found   [R-GROUP-4]
log: auto
g1: publish                              -> g1 accepted e1
wait 10s                                 -> nothing
g1: publish count=2                      -> g1 accepted e2 ; g1 accepted e3
crash ; restart                          -> log recover
wait 10s                                 -> nothing
g1: hello                                -> g1 welcome
g1: publish                              -> g1 accepted e4
w1: hello group=a ago=11s credit=9 ; wait 100ms -> w1 welcome ; w1 deliver e2 ; w1 deliver e3 ; w1 deliver e4
w2: hello group=b ago=10m credit=9 ; wait 100ms  -> w2 welcome ; w2 deliver e1 ; w2 deliver e2 ; w2 deliver e3 ; w2 deliver e4
w3: hello group=c ago=0s credit=9 ; wait 100ms  -> w3 welcome
# two that come at once share it; one that asks for something else is refused when it is found
crash ; restart ; log: slow              -> log recover
w4: hello group=d ago=11s credit=1 ; w5: hello group=d ago=10m credit=1 ; w6: hello group=d ago=11s lease=5s -> nothing
log: quick ; wait 100ms                  -> w4 welcome ; w5 welcome ; w6 error conflict about=hello ; w6 forgotten ; w4 deliver e2 ; w5 deliver e3
# who leaves meanwhile leaves no group   [R-HELLO-8]
crash ; restart ; log: slow              -> log recover
w7: hello group=e ago=11s credit=9 ; w7: gone -> nothing
log: quick ; wait 100ms                  -> nothing
w8: hello group=e credit=9 lease=5s      -> w8 welcome
