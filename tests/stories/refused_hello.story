# a hello that is refused makes no group, takes nobody's place, and ends no older connection   [R-HELLO-8]
log: auto
w1: hello group=new ordering=9           -> w1 error unsupported about=hello ; w1 forgotten
w2: hello group=new ordering=4           -> w2 error unsupported about=hello ; w2 forgotten
w3: hello group=new filters=a..b         -> w3 error bad_request about=hello ; w3 forgotten
p1: query groups                         -> p1 answer ok groups=0
x1: hello instance=twin                  -> x1 welcome
x2: hello instance=twin protocol=9       -> x2 error bad_version about=hello ; x2 forgotten
x2: hello instance=twin group=new ordering=9 -> x2 error unsupported about=hello ; x2 forgotten
x1: publish                              -> x1 accepted e1
p1: query groups                         -> p1 answer ok groups=0
