# a worker names a group, others do not   [R-HELLO-6]
log: auto
x1: hello role=1                         -> x1 error bad_request about=hello ; x1 forgotten
x2: hello group=a role=2                 -> x2 error bad_request about=hello ; x2 forgotten
# a worker may publish and subscribe as well; a gateway does so for other tenants, a client does not   [R-HELLO-6]
w1: hello group=a credit=9               -> w1 welcome
p1: hello                                -> p1 welcome
w1: publish topic=x.1                    -> w1 accepted e1
w1: subscribe s1 filter=x.>              -> w1 subscribed s1
p1: publish tenant=other                 -> p1 refused e2 forbidden
p1: subscribe s1 tenant=other            -> p1 error forbidden about=subscribe
g1: subscribe s1 tenant=other            -> g1 subscribed s1
g1: publish tenant=other                 -> g1 accepted e3
# nothing crosses tenants: the worker of `dev` has not seen e3, whose topic its group matches
g1: publish                              -> g1 accepted e4 ; w1 deliver e4
# an inbox is its peer's alone, and a gateway's of the tenant   [R-HELLO-7] [R-SUB-6]
p1: subscribe s2 filter=inbox:p1 -> p1 subscribed s2 ; p1 caught_up s2
p2: subscribe s2 filter=inbox:p1 -> p2 error forbidden about=subscribe
w1: subscribe s2 filter=inbox:p1 -> w1 error forbidden about=subscribe
g1: subscribe s2 filter=inbox:p1 -> g1 subscribed s2 ; g1 caught_up s2
g1: subscribe s3 filter=$inbox.>         -> g1 error forbidden about=subscribe
p2: publish topic=inbox:p1 -> p2 refused e5 forbidden
w1: ack e4 emit=inbox:p1   -> w1 settled e4 ; p1 event s2 m1 cause=e4 ; g1 event s2 m1 cause=e4
