# who is no admin of the tenant may change nothing   [R-MANAGE-2]
log: auto
w1: hello group=ocr credit=0              -> w1 welcome
p1: manage group_pause group=ocr          -> p1 answer forbidden
w1: manage group_pause group=ocr          -> w1 answer forbidden
g1: manage group_pause group=ocr          -> g1 answer forbidden

# an action that is not known is answered all the same   [R-MANAGE-1]
a1: manage nonsense group=ocr             -> a1 answer unsupported
