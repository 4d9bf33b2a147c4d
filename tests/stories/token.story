# a token is accepted once: the repeat has the first one's answer, whoever says it again   [R-TOKEN-1]
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
g1: publish token=a                      -> g1 accepted e1 ; w1 deliver e1
g1: publish token=a                      -> g1 accepted e1 duplicate
p1: publish token=a topic=docs.other     -> p1 accepted e1 duplicate
g1: publish token=b count=2              -> g1 accepted e4 ; g1 accepted e4 duplicate ; w1 deliver e4
# another tenant's token is another token   [R-TOKEN-1]
g1: publish token=a tenant=acme          -> g1 accepted e6
# also over a restart, and from a snapshot   [R-TOKEN-2] P3
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
snapshot                                 -> snapshot equal
p1: publish token=a                      -> p1 accepted e1 duplicate
# its time is over 10 minutes after the first one was accepted   [R-TOKEN-1]
wait 9m                                  -> nothing
p1: publish token=a                      -> p1 accepted e1 duplicate
wait 61s                                 -> nothing
p1: publish token=a                      -> p1 accepted e9
p1: publish token=a                      -> p1 accepted e9 duplicate
snapshot                                 -> snapshot equal
