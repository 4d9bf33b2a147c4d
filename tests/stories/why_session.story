# a session is looked for back to where the log begins, wherever that is   [R-WHY-1]
log: auto
crash ; restart                          -> log recover
w1: hello group=ocr start=first credit=0 -> w1 welcome
g1: publish session=s-1                  -> g1 accepted e1
a1: query why session=s-2 ; wait 100ms   -> a1 answer ok
a1: query why session=s-1 ; wait 100ms   -> a1 answer ok ; a1 why e1 ocr no_credit
