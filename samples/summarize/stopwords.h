/* English words that carry no topic: articles, pronouns, prepositions, auxiliaries and the like. */
#ifndef WEIR_SAMPLES_SUMMARIZE_STOPWORDS_H
#define WEIR_SAMPLES_SUMMARIZE_STOPWORDS_H

#include <stdbool.h>
#include <stddef.h>

/* True if the folded word (small letters, no apostrophe's tail) is a stop word. Any thread. */
bool stopword(const char *word, size_t size);

#endif
