# what does not fit is refused once, with its number; what follows of it is dropped, and others go on   [R-PART-4]
log: auto
p1: publish                                                -> p1 accepted e1
p1: parts of=3 last=0 size=1000                            -> p1 refused e2 bad_request
p1: parts number=2 of=3 first=1                            -> nothing
p1: publish number=2 body=0                                -> p1 refused e2 stale
p1: parts of=3 last=0                                      -> nothing
p1: parts number=3 of=3 first=2                            -> p1 refused e3 bad_request
p1: parts of=3 last=0                                      -> nothing
p1: parts number=4 of=4 first=1 last=1                     -> p1 refused e4 bad_request
p1: parts of=2 tail=70000                                  -> p1 refused e5 bad_request
# ended too early, or with data of its own   [R-PART-4]
p1: parts of=2 last=0                                      -> nothing
p1: publish number=6 body=0                                -> p1 refused e6 bad_request
p1: parts of=2                                             -> nothing
p1: publish number=7 body=10                               -> p1 refused e7 bad_request
# larger than the coordinator takes   [R-PART-1]
p1: parts of=129 last=0                                    -> p1 refused e8 too_large
# in one piece it is too large
p1: publish body=70000                                     -> p1 refused e9 too_large
# the number of one that is too low is no new one   [R-PART-2]
p1: parts number=3 of=2                                    -> nothing
p1: publish                                                -> p1 accepted e10
# sixteen may be under way; one more is put off, and when one has ended there is room   [R-PART-3]
p1: parts of=2 last=0 ; p1: parts of=2 last=0 ; p1: parts of=2 last=0 ; p1: parts of=2 last=0 -> nothing
p1: parts of=2 last=0 ; p1: parts of=2 last=0 ; p1: parts of=2 last=0 ; p1: parts of=2 last=0 -> nothing
p1: parts of=2 last=0 ; p1: parts of=2 last=0 ; p1: parts of=2 last=0 ; p1: parts of=2 last=0 -> nothing
p1: parts of=2 last=0 ; p1: parts of=2 last=0 ; p1: parts of=2 last=0 ; p1: parts of=2 last=0 -> nothing
p1: parts of=2 last=0                                      -> p1 refused e27 throttled
p1: parts number=11 of=2 first=1                           -> nothing
p1: publish number=11 body=0                               -> p1 accepted e11
p1: parts of=2 last=0                                      -> nothing
# an event that says itself where its data lies is none   [R-PART-8]
p2: publish sealed                                         -> p2 refused e29 bad_request
