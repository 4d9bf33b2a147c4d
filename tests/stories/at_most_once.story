# an at_most_once event is offered once, before the disk, to a worker with credit of each group that is there   [R-ONCE-1] P6
w1: hello group=ocr credit=3             -> log block=1
log: committed 1                         -> w1 welcome
w2: hello group=mail credit=1            -> log block=2
log: committed 2                         -> w2 welcome
p1: publish at_most_once                 -> w1 deliver e1 attempt=1 ; w2 deliver e1 attempt=1 ; log block=3 records=1
log: committed 3                         -> p1 accepted e1
w1: ack e1                               -> w1 settled e1
# whatever ends the delivery ends the event: nack, deadline, lost connection, release   [R-ONCE-1] [R-ONCE-3]
log: auto
w2: nack e1                              -> w2 settled e1
wait 60s                                 -> nothing
p1: publish at_most_once                 -> w1 deliver e2 attempt=1 ; p1 accepted e2
w1: release e2                           -> nothing
p1: publish at_most_once                 -> w1 deliver e3 attempt=1 ; p1 accepted e3
wait 31s                                 -> w1 revoke e3 timeout
wait 60s                                 -> nothing
# who has no credit now does not get it; events that may wait go their way   [R-ONCE-3]
p1: publish at_most_once                 -> p1 accepted e4
w1: credit deliver=5                     -> nothing
p1: publish                              -> p1 accepted e5 ; w1 deliver e5
p1: publish at_most_once                 -> w1 deliver e6 attempt=1 ; p1 accepted e6
w1: gone                                 -> nothing
wait 60s                                 -> nothing
w1: hello group=ocr credit=9 holds=e6/1  -> w1 welcome ; w1 deliver e5 attempt=2
