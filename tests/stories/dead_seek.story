# a group that goes back gives its events out again whatever became of them; an event has one letter all the same   [R-DEAD-1] [R-DEAD-4]
log: auto
w1: hello group=ocr credit=20                  -> w1 welcome
p1: publish                                    -> p1 accepted e1 ; w1 deliver e1 attempt=1
w1: reject e1 reason=bad                       -> w1 settled e1
a1: manage group_seek group=ocr start=first    -> a1 answer ok ; w1 deliver e1 attempt=1
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected
a1: manage dead_retry group=ocr e1             -> a1 answer ok count=1 ; w1 deliver m1 attempt=1 first=e1
# from its own place it is given up while its letter is being delivered: that one goes on
w1: reject e1 reason=worse                     -> w1 settled e1
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected/retried
snapshot                                       -> snapshot equal
w1: reject m1 reason=worst                     -> w1 settled m1
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected
# another generation: what was being delivered lies again, and who has it hears so
a1: manage dead_retry group=ocr e1             -> a1 answer ok count=1 ; w1 deliver m2 attempt=1 first=e1
a1: manage group_seek group=ocr start=new      -> a1 answer ok ; w1 revoke m2 stale
a1: query dead group=ocr                       -> a1 answer ok dead=e1/1/rejected
# a group that is deleted takes its letters with it
w1: gone
a1: manage group_delete group=ocr              -> a1 answer ok
a1: query dead group=ocr                       -> a1 answer not_found
w1: hello group=ocr credit=20                  -> w1 welcome
a1: query dead group=ocr                       -> a1 answer ok
snapshot                                       -> snapshot equal
