# other filters hold from a stated place on: the backlog before it is the old ones'   [R-CHANGE-2]
log: auto
w1: hello group=ocr filters=a.>,b.> credit=1 -> w1 welcome
g1: publish topic=a.1                    -> g1 accepted e1 ; w1 deliver e1
g1: publish topic=b.1                    -> g1 accepted e2
g1: publish topic=c.1                    -> g1 accepted e3
a1: manage group_set group=ocr filters=b.>,c.> -> a1 answer ok
g1: publish topic=a.2                    -> g1 accepted e4
g1: publish topic=b.2                    -> g1 accepted e5
g1: publish topic=c.2                    -> g1 accepted e6
# until what was before is settled another change is refused, but not one back to what is
a1: manage group_set group=ocr filters=x.> -> a1 answer conflict
a1: manage group_set group=ocr filters=c.>,b.> -> a1 answer ok
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
w2: hello group=ocr filters=c.>,b.> credit=9 -> w2 welcome ; w2 deliver e2 ; w2 deliver e5 ; w2 deliver e6
wait 6s                                  -> w2 deliver e1 attempt=2
w3: hello group=ocr filters=a.>,b.> credit=9 -> w3 error conflict about=hello ; w3 forgotten
w2: ack e1 e2                            -> w2 settled e1 ; w2 settled e2
a1: manage group_set group=ocr filters=x.> -> a1 answer ok
w2: ack e5 e6                            -> w2 settled e5 ; w2 settled e6
g1: hello                                -> g1 welcome
g1: publish topic=b.3                    -> g1 accepted e7
g1: publish topic=x.1                    -> g1 accepted e8 ; w2 deliver e8
# an idle group is ready for the next change at once
w2: ack e8                               -> w2 settled e8
a1: manage group_set group=ocr filters=y.> -> a1 answer ok
a1: manage group_set group=ocr filters=z.> -> a1 answer ok
a1: manage group_set group=ocr filters=y.>,z.> -> a1 answer ok
g1: publish topic=z.1                    -> g1 accepted e9 ; w2 deliver e9
snapshot                                 -> snapshot equal
# what is no filter is no change
a1: manage group_set group=ocr filters=a..b -> a1 answer bad_request
a1: manage group_set group=ocr filters=$sys.> -> a1 answer forbidden
a1: manage group_set group=ocr name=x    -> a1 answer bad_request
