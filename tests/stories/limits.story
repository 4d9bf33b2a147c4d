# so many run at once in a group, over all workers   [R-LIMIT-1]
log: auto
w1: hello group=ocr limit=2 credit=20     -> w1 welcome
w2: hello group=ocr credit=20             -> w2 welcome
g1: publish count=3                       -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; w1 deliver e1 ; w2 deliver e2
w1: nack e1 delay=1s                      -> w1 settled e1 ; w1 deliver e3
wait 2s                                   -> nothing
# what may still run after a restart counts, until its worker comes or its time is over
crash ; restart                           -> log recover
w1: hello group=ocr credit=20 holds=e3/1  -> w1 welcome kept=e3/1
wait 4s                                   -> nothing
w1: ack e3                                -> w1 settled e3
wait 5s                                   -> w1 deliver e2 attempt=2 ; w1 deliver e1 attempt=3
w1: ack e1 e2                             -> w1 settled e1 ; w1 settled e2
wait 1h                                   -> nothing
# another limit is refused
w3: hello group=ocr limit=3               -> w3 error conflict about=hello ; w3 forgotten
w4: hello group=x limit_each=3            -> w4 error bad_request about=hello ; w4 forgotten
w5: hello group=x limit_each=3 limit_by=word:0 -> w5 error bad_request about=hello ; w5 forgotten
w6: hello group=x limit_each=3 limit_by=topic -> w6 error bad_request about=hello ; w6 forgotten
