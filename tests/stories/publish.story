# an accept waits for the commit, a refusal does not   [R-PUB-2] [R-PUB-3]
g1: publish count=2                      -> log block=1 records=2
g1: publish topic=docs..a                -> g1 refused e3 bad_request
log: committed 1                         -> g1 accepted e1 ; g1 accepted e2
# an event that is none, too large, on a system topic, of a kind not served: its neighbours do not feel it   [R-PUB-7] [R-PUB-10]
g1: publish junk                         -> g1 refused e4 bad_request
g1: publish body=65600                   -> g1 refused e5 too_large
g1: publish topic=$sys.x                 -> g1 refused e6 forbidden
g1: publish priority=4                   -> g1 refused e7 bad_request
g1: publish semantics=2                  -> g1 refused e8 bad_request
g1: publish delay=9601h                  -> g1 refused e9 bad_request
# a request that no group takes   [R-PUB-8]
g1: publish reply_to=$inbox.me           -> g1 refused e10 no_worker
# a number is taken once; its first answer comes again, also before it is committed   [R-PUB-4] [R-PUB-1]
g1: publish                              -> log block=2
g1: publish number=11                    -> nothing
log: committed 2                         -> g1 accepted e11 ; g1 accepted e11 duplicate
g1: publish number=11                    -> g1 accepted e11 duplicate
g1: publish number=5                     -> g1 refused e5 stale
