# a failed event waits for its next attempt no longer than it lives: its key is free then   [R-PUB-10] [R-LEASE-5]
log: auto
w1: hello group=ocr credit=9 ordering=1  -> w1 welcome
p1: publish key=a ttl=10s                -> p1 accepted e1 ; w1 deliver e1
p1: publish key=a                        -> p1 accepted e2
w1: nack e1 delay=1h                     -> w1 settled e1
wait 9s                                  -> nothing
wait 1s                                  -> w1 deliver e2
# one whose turn comes earlier goes out
p1: publish key=b ttl=10s                -> p1 accepted e3 ; w1 deliver e3
w1: nack e3 delay=5s                     -> w1 settled e3
wait 5s                                  -> w1 deliver e3 attempt=2
# and what has expired meanwhile behind a busy key does not   [R-PUB-10]
p1: publish key=b ttl=3s                 -> p1 accepted e4
wait 4s                                  -> nothing
w1: ack e3                               -> w1 settled e3
p1: publish key=b                        -> p1 accepted e5 ; w1 deliver e5
