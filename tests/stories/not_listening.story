# while the log is so busy that packets stay in the socket nobody is taken for silent: what they say is still to be read   [R-BEAT-2]
p2: hello                                -> p2 welcome
p1: publish                              -> log block=1
p1: publish count=2 body=60000 times=6   -> log block=2
p1: publish count=2 body=60000 times=6   -> nothing
wait 1h                                  -> nothing
log: committed 1                         -> p1 accepted e1 ; log block=3
wait 5s                                  -> nothing
# nor after a time in which the process itself was stopped
stopped 1h                               -> nothing
wait 5s                                  -> nothing
# who is silent while it listens is gone all the same
z1: hello                                -> z1 welcome
stopped 1m                               -> nothing
wait 20s                                 -> z1 forgotten
