# a delay does not go with at_most_once, a request or an answer; nor for more than 400 days   [R-DELAY-4]
log: auto
w1: hello group=ocr credit=9             -> w1 welcome
p1: publish delay=5s at_most_once        -> p1 refused e1 bad_request
p1: publish delay=5s reply_to=$inbox.me  -> p1 refused e2 bad_request
p1: publish delay=9601h                  -> p1 refused e3 bad_request
p1: publish not_before=9700h             -> p1 refused e4 bad_request
p1: publish delay=9600h                  -> p1 accepted e5
p1: publish                              -> p1 accepted e6 ; w1 deliver e6
w1: ack e6 emit=$inbox.me delay=5s       -> w1 bad_request e6
