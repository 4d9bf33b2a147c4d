# what a delayed event leads to names it by its id after a restart, too: its worker says it   [R-ADOPT-1] [R-DELIV-2]
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
p2: subscribe s1 filter=pages.>          -> p2 subscribed s1 ; p2 caught_up s1
p1: publish delay=10s                    -> p1 accepted e1
p1: publish                              -> p1 accepted e2 ; w1 deliver e2
wait 10s                                 -> w1 deliver m1 first=e1
crash ; restart                          -> log recover
p2: subscribe s1 filter=pages.>          -> p2 subscribed s1 ; p2 caught_up s1
w1: hello group=ocr credit=9 holds=m1/1 first=e1 -> w1 welcome kept=m1/1
w1: ack m1 emit=pages.1                  -> w1 settled m1 ; p2 event s1 m2 cause=e1
# a claim that comes after the place is none
crash ; restart                          -> log recover
p2: subscribe s1 filter=pages.>          -> p2 subscribed s1 ; p2 caught_up s1
w1: hello group=ocr credit=9 holds=e2/1 first=m1 -> w1 welcome kept=e2/1
w1: ack e2 emit=pages.2                  -> w1 settled e2 ; p2 event s1 m3 cause=e2
# in a group that reads back what was out the same holds   [R-ORDER-3]
w2: hello group=cap ordering=key credit=9 -> w2 welcome
p1: publish delay=10s key=k              -> p1 accepted e3
wait 10s                                 -> w2 deliver m4 first=e3 ; w1 deliver m4 first=e3
crash ; restart                          -> log recover
p2: subscribe s1 filter=pages.>          -> p2 subscribed s1 ; p2 caught_up s1
w2: hello group=cap credit=9 holds=m4/1 first=e3 -> w2 welcome kept=m4/1
w2: ack m4 emit=pages.3                  -> w2 settled m4 ; p2 event s1 m5 cause=e3
