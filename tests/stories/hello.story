# who does not say hello is told so, and nothing else happens   [R-HELLO-1]
x1: publish                              -> x1 error unauthorized about=hello
x1: garbage                              -> x1 error bad_frame
x1: hello unanswered=1                   -> x1 welcome known=1
x1: hello                                -> x1 error bad_request about=hello
# a wrong version, a bad instance, a role of the future   [R-HELLO-2]
x2: hello protocol=2                     -> x2 error bad_version about=hello ; x2 forgotten
x3: hello no_instance                    -> x3 error bad_request about=hello ; x3 forgotten
x4: hello role=17                        -> x4 error bad_request about=hello ; x4 forgotten
x5: hello role=1                         -> x5 error bad_request about=hello ; x5 forgotten
# the newer connection of an instance is right   [R-HELLO-3]
x6: hello instance=twin                  -> x6 welcome
x7: hello instance=twin                  -> x6 error stale about=hello ; x6 forgotten ; x7 welcome
# a worker is welcome only when its group's record is committed   [R-HELLO-5]
w1: hello group=new credit=1             -> log block=1
w2: hello group=new credit=1             -> nothing
log: committed 1                         -> w1 welcome ; w2 welcome
