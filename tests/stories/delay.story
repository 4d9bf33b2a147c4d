# a delayed event is accepted at once and shown when it is due, at a new place under its first id   [R-DELAY-1]
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
p2: subscribe s1                         -> p2 subscribed s1 ; p2 caught_up s1
p1: publish delay=10s                    -> p1 accepted e1
p1: publish                              -> p1 accepted e2 ; w1 deliver e2 ; p2 event s1 e2
p3: subscribe s1 since=first limit=9     -> p3 subscribed s1 ; p3 event s1 e2 ; p3 ended s1 ok
wait 9s                                  -> nothing
wait 1s                                  -> w1 deliver m1 attempt=1 first=e1 ; p2 event s1 m1 first=e1
p3: subscribe s2 since=e2 limit=9        -> p3 subscribed s2 ; p3 event s2 m1 first=e1 ; p3 ended s2 ok
# what it leads to names it by its id   [R-DELAY-1]
p2: subscribe s2 filter=pages.>          -> p2 subscribed s2 ; p2 caught_up s2
w1: ack m1 emit=pages.1                  -> w1 settled m1 ; p2 event s2 m2 cause=e1
# an absolute time; the later of both; a time that is over is none   [R-DELAY-1]
p1: publish not_before=1020s delay=5s    -> p1 accepted e3
p1: publish not_before=1001s delay=20s   -> p1 accepted e4
p1: publish not_before=1001s             -> p1 accepted e5 ; w1 deliver e5 attempt=1 ; p2 event s1 e5
wait 10s                                 -> w1 deliver m3 first=e3 ; p2 event s1 m3 first=e3
w1: ack e2 e5 m3                         -> w1 settled e2 ; w1 settled e5 ; w1 settled m3
wait 10s                                 -> w1 deliver m4 first=e4 ; p2 event s1 m4 first=e4
# ttl counts from the moment in which it is shown   [R-PUB-10]
p1: publish delay=10s ttl=5s             -> p1 accepted e6
wait 10s                                 -> w1 deliver m5 first=e6 ; p2 event s1 m5 first=e6
snapshot                                 -> snapshot equal
