# every group gets each event, in a group one worker does   [R-GROUP-2]
log: auto
w1: hello group=a credit=1               -> w1 welcome
w2: hello group=a credit=1               -> w2 welcome
w3: hello group=b filters=docs.*,x.> credit=5 -> w3 welcome
g1: publish count=2                      -> g1 accepted e1 ; g1 accepted e2 ; w1 deliver e1 ; w2 deliver e2 ; w3 deliver e1 ; w3 deliver e2
g1: publish topic=x.y.z                  -> g1 accepted e3 ; w3 deliver e3
# options are the first one's; a difference is refused   [R-GROUP-1]
w4: hello group=a filters=other.>        -> w4 error conflict about=hello ; w4 forgotten
w5: hello group=a lease=5s               -> w5 error conflict about=hello ; w5 forgotten
w6: hello group=c ordering=9             -> w6 error unsupported about=hello ; w6 forgotten
w8: hello group=c filters=docs..x        -> w8 error bad_request about=hello ; w8 forgotten
w9: hello group=c filters=$sys.>         -> w9 error forbidden about=hello ; w9 forgotten
# a group may begin at the first event, or after one   [R-GROUP-2]
w10: hello group=d start=first credit=9  -> w10 welcome ; w10 deliver e1 ; w10 deliver e2
w11: hello group=e start=e1 credit=9     -> w11 welcome ; w11 deliver e2
# a group without workers keeps its place
w3: ack e1 e2 e3                         -> w3 settled e1 ; w3 settled e2 ; w3 settled e3
w3: gone                                 -> nothing
g1: publish topic=x.1                    -> g1 accepted e4
w3: hello group=b filters=docs.*,x.> credit=5 -> w3 welcome ; w3 deliver e4 attempt=1
