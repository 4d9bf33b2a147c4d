# a settle is answered at once, with emits after their commit; an emit itself cannot be at_most_once   [R-ONCE-1] [R-ONCE-5] P5
w1: hello group=ocr credit=5             -> log block=1
log: committed 1                         -> w1 welcome
p1: publish at_most_once                 -> w1 deliver e1 attempt=1 ; log block=2
log: committed 2                         -> p1 accepted e1
w1: ack e1 emit=pages.1 semantics=1      -> w1 bad_request e1
w1: ack e1 emit=pages.1 token=a          -> log block=3 records=1
log: committed 3                         -> w1 settled e1
w1: ack e1                               -> w1 stale e1
# the answer waits for the first one with its token, too   [R-TOKEN-4]
p1: publish at_most_once                 -> w1 deliver e2 ; log block=4
p1: publish token=b topic=other.x        -> nothing
w1: ack e2 emit=pages.1 token=b          -> nothing
log: committed 4                         -> p1 accepted e2 ; log block=5
log: committed 5                         -> p1 accepted e3 ; w1 settled e2
# nor can one that comes in parts: those go out from the disk   [R-ONCE-5]
log: auto
p1: parts of=2                           -> nothing
p1: publish number=4 body=0 at_most_once -> p1 refused e4 too_large
