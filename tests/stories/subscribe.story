# from the beginning, then live, without gap or repeat   [R-SUB-2] [R-SUB-3]
log: auto
g1: publish count=3                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3
p1: subscribe s1 since=first             -> p1 subscribed s1 ; p1 event s1 e1 ; p1 event s1 e2 ; p1 event s1 e3 ; p1 caught_up s1
g1: publish                              -> g1 accepted e4 ; p1 event s1 e4
p1: subscribe s2 since=e2                -> p1 subscribed s2 ; p1 event s2 e3 ; p1 event s2 e4 ; p1 caught_up s2
p1: unsubscribe s1                       -> p1 ended s1 ok
p1: unsubscribe s1                       -> p1 ended s1 not_found
# the last n; with a limit it ends   [R-SUB-4] [R-SUB-5]
p1: subscribe s3 last=2                  -> p1 subscribed s3 ; p1 event s3 e3 ; p1 event s3 e4 ; p1 caught_up s3
p1: subscribe s4 since=first limit=2     -> p1 subscribed s4 ; p1 event s4 e1 ; p1 event s4 e2 ; p1 ended s4 ok more
p1: subscribe s5 since=first limit=9     -> p1 subscribed s5 ; p1 event s5 e1 ; p1 event s5 e2 ; p1 event s5 e3 ; p1 event s5 e4 ; p1 ended s5 ok
p1: subscribe s6 filter=none.> since=first limit=9 -> p1 subscribed s6 ; p1 ended s6 ok
p1: subscribe s7 filter=docs.* last=100 limit=1 -> p1 subscribed s7 ; p1 event s7 e1 ; p1 ended s7 ok more
# one that takes the place of an ended one is matched by its own filter
p1: subscribe s11 filter=none.> since=e3 limit=9 -> p1 subscribed s11 ; p1 ended s11 ok
p1: subscribe s12 since=e3 limit=9       -> p1 subscribed s12 ; p1 event s12 e4 ; p1 ended s12 ok
# another epoch: from the oldest, with a gap   [R-SUB-1]
p1: subscribe s8 since=e4 epoch=fedcba9876543210 limit=1 -> p1 subscribed s8 gap ; p1 event s8 e1 ; p1 ended s8 ok more
# bad filters, a number used twice, somebody's inbox, the system's topics   [R-SUB-1] [R-SUB-6]
p1: subscribe s2                         -> p1 error conflict about=subscribe
p1: subscribe s9 filter=a..b             -> p1 error bad_request about=subscribe
p1: subscribe s0 filter=a.b              -> p1 error bad_request about=subscribe
p1: subscribe s9 filter=$inbox.other     -> p1 error forbidden about=subscribe
p1: subscribe s9 filter=$sys.>           -> p1 error forbidden about=subscribe
a1: subscribe s9 filter=$sys.>           -> a1 subscribed s9 ; a1 caught_up s9
