# subscriptions that are live and have credit see it in its place at the commit; history shows it, catching up does not   [R-ONCE-2] [R-ONCE-3] P6
log: auto
p2: subscribe s1                         -> p2 subscribed s1 ; p2 caught_up s1
p3: hello credit=2                       -> p3 welcome
p3: subscribe s1                         -> p3 subscribed s1 ; p3 caught_up s1
p1: publish                              -> p1 accepted e1 ; p2 event s1 e1 ; p3 event s1 e1
p1: publish at_most_once                 -> p1 accepted e2 ; p2 event s1 e2 ; p3 event s1 e2
p1: publish at_most_once                 -> p1 accepted e3 ; p2 event s1 e3
p1: publish                              -> p1 accepted e4 ; p2 event s1 e4
p1: publish at_most_once                 -> p1 accepted e5 ; p2 event s1 e5
p3: credit events=9                      -> p3 event s1 e4 ; p3 caught_up s1
p1: publish at_most_once                 -> p1 accepted e6 ; p2 event s1 e6 ; p3 event s1 e6
p4: subscribe s1 since=first             -> p4 subscribed s1 ; p4 event s1 e1 ; p4 event s1 e4 ; p4 caught_up s1
p4: subscribe s2 since=first limit=3     -> p4 subscribed s2 ; p4 event s2 e1 ; p4 event s2 e2 ; p4 event s2 e3 ; p4 ended s2 ok more
p4: subscribe s3 last=2                  -> p4 subscribed s3 ; p4 event s3 e1 ; p4 event s3 e4 ; p4 caught_up s3
