# a full table throttles until the oldest has had its time; none is forgotten for another   [R-TOKEN-3] P3 P7
log: auto
g1: publish token=a                      -> g1 accepted e1
wait 60s                                 -> nothing
g1: publish token=b                      -> g1 accepted e2
g1: publish token=c                      -> g1 accepted e3
g1: publish token=d                      -> g1 accepted e4
g1: publish token=e                      -> g1 refused e5 throttled retry=540000ms
g1: publish token=a                      -> g1 accepted e1 duplicate
g1: publish                              -> g1 accepted e7
# this tenant's; the table of all is full later, by its own oldest   P8
g1: publish token=a tenant=acme          -> g1 accepted e8
g1: publish token=b tenant=acme          -> g1 accepted e9
g1: publish token=c tenant=acme          -> g1 refused e10 throttled retry=540000ms
wait 539s                                -> nothing
g1: publish token=e                      -> g1 refused e11 throttled retry=1000ms
wait 1s                                  -> nothing
g1: publish token=a                      -> g1 accepted e12
g1: publish token=e                      -> g1 refused e13 throttled retry=60000ms
snapshot                                 -> snapshot equal
crash ; restart                          -> log recover
g1: publish token=e                      -> g1 refused e14 throttled
g1: publish token=b                      -> g1 accepted e2 duplicate
