# without credit it falls behind and loses nothing   [R-SUB-2] [R-CREDIT-4]
log: auto
p1: hello credit=2                       -> p1 welcome
p1: subscribe s1                         -> p1 subscribed s1 ; p1 caught_up s1
g1: publish count=5                      -> g1 accepted e1 ; g1 accepted e2 ; g1 accepted e3 ; g1 accepted e4 ; g1 accepted e5 ; p1 event s1 e1 ; p1 event s1 e2
g1: publish                              -> g1 accepted e6
p1: credit events=4                      -> p1 event s1 e3 ; p1 event s1 e4
p1: credit events=9                      -> p1 event s1 e5 ; p1 event s1 e6 ; p1 caught_up s1
g1: publish                              -> g1 accepted e7 ; p1 event s1 e7
# a subscription may have a credit of its own besides
p1: credit events=100                    -> nothing
p1: subscribe s2 since=first credit=1    -> p1 subscribed s2 ; p1 event s2 e1
p1: credit events=3 subscription=2       -> p1 event s2 e2 ; p1 event s2 e3
