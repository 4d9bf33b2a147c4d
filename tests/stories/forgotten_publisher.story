# a publisher that is not known, and says it has had answers, is not accepted blindly   [R-PUB-6]
log: auto
p9: hello unanswered=7                   -> p9 welcome known=0
p9: publish number=3                     -> p9 refused gone
