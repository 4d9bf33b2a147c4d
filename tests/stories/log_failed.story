# a failed write tells nobody anything   P2
g1: publish                              -> log block=1
log: failed                              -> halt
