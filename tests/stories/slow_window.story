# what a slow subscriber has not read leaves the window: it is told, nothing is passed over in silence   [R-SUB-2]
log: auto
p1: hello credit=1                       -> p1 welcome
p1: subscribe s1                         -> p1 subscribed s1 ; p1 caught_up s1
g1: publish                              -> g1 accepted e1 ; p1 event s1 e1
g1: publish                              -> g1 accepted e2
g1: publish                              -> g1 accepted e3
g1: publish                              -> g1 accepted e4
log: trim e3                             -> nothing
p1: credit events=99                     -> p1 ended s1 gone
