# a subscription from a time on gets what was written then or later, found by a search, also over restarts   [R-SUB-7]
log: auto
g1: publish                              -> g1 accepted e1
wait 10s                                 -> nothing
g1: publish count=2                      -> g1 accepted e2 ; g1 accepted e3
crash ; restart                          -> log recover
wait 10s                                 -> nothing
g1: hello                                -> g1 welcome
g1: publish                              -> g1 accepted e4
crash ; restart                          -> log recover
wait 10s                                 -> nothing
g1: hello                                -> g1 welcome
g1: publish                              -> g1 accepted e5
p1: subscribe s1 ago=15s ; wait 100ms    -> p1 subscribed s1 ; p1 event s1 e4 ; p1 event s1 e5 ; p1 caught_up s1
p1: subscribe s2 ago=21s ; wait 100ms    -> p1 subscribed s2 ; p1 event s2 e2 ; p1 event s2 e3 ; p1 event s2 e4 ; p1 event s2 e5 ; p1 caught_up s2
p1: subscribe s3 ago=10m ; wait 100ms    -> p1 subscribed s3 ; p1 event s3 e1 ; p1 event s3 e2 ; p1 event s3 e3 ; p1 event s3 e4 ; p1 event s3 e5 ; p1 caught_up s3
p1: subscribe s4 ago=1s ; wait 100ms     -> p1 subscribed s4 ; p1 event s4 e5 ; p1 caught_up s4
