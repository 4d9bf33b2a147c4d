# what is not served says so, and the rest of the dialogue goes on   [R-LATER-1] [R-WIRE-5]
p1: message replay                       -> p1 error unsupported about=replay
p1: message moved                        -> p1 error unsupported about=moved
p1: message unknown                      -> p1 error unsupported about=unknown
p1: message welcome                      -> p1 error bad_request about=welcome
p1: message deliver                      -> p1 error bad_request about=deliver
p1: message drain                        -> p1 error bad_request about=drain
p1: query nonsense                       -> p1 answer unsupported
p1: query groups                         -> p1 answer ok groups=0
a1: query stats                          -> a1 answer ok stats=yes
p1: query stats tenant=other             -> p1 answer forbidden
p1: huge                                 -> p1 error too_large
