# a heartbeat is echoed   [R-BEAT-1]
p1: heartbeat                            -> p1 heartbeat
# who is silent for three heartbeats is gone; the name z marks a peer that says nothing   [R-BEAT-2]
z1: hello                                -> z1 welcome
wait 20s                                 -> z1 forgotten
# a heartbeat extends no lease   [R-BEAT-3]
log: auto
w1: hello group=ocr credit=1             -> w1 welcome
g1: publish                              -> g1 accepted e1 ; w1 deliver e1 attempt=1
wait 29s                                 -> nothing
wait 2s                                  -> w1 revoke e1 timeout
