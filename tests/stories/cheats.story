# who only says what no peer says is answered, and cut in the end; others go on   [R-WIRE-8]
log: auto
p1: publish                                                -> p1 accepted e1
p2: garbage times=99                                       -> 99x p2 error bad_frame
p2: message unknown times=101                              -> 101x p2 error unsupported
p2: publish                                                -> p2 accepted e2
p2: message welcome times=99                               -> 99x p2 error bad_request about=welcome
p2: huge                                                   -> p2 error too_large ; p2 forgotten
p1: publish                                                -> p1 accepted e3
x1: heartbeat times=100                                    -> 100x x1 error unauthorized about=hello ; x1 forgotten
# parts that do not fit   [R-PART-4]
p3: parts of=3 last=0 size=5 times=99                      -> 99x p3 refused bad_request
p3: publish                                                -> p3 accepted
p3: parts of=3 last=0 size=5 times=100                     -> 100x p3 refused bad_request ; p3 forgotten
# parts of nothing: more than can have been under way (100, and 16 MiB of them)   [R-PART-4]
p4: parts of=4 last=0                                      -> nothing
p4: parts number=1 of=4 first=2 last=2                     -> p4 refused bad_request
p4: parts number=1 of=4 first=1 last=1 times=356           -> nothing
p4: parts number=1 of=4 first=1 last=1                     -> p4 forgotten
# emits beyond the emit credit   [R-CREDIT-7]
w1: hello group=g credit=10                                -> w1 welcome
p1: publish                                                -> p1 accepted ; w1 deliver attempt=1
w1: ack e205 emits=257 times=99                            -> 99x w1 too_large e205
w1: ack e205                                               -> w1 settled e205
p1: publish                                                -> p1 accepted ; w1 deliver attempt=1
w1: ack e206 emits=257 times=100                           -> 100x w1 too_large e206 ; w1 forgotten
