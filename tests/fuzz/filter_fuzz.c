/* The filter index against trying every filter: a script of adds, removes and matches over few words, so that paths are shared, split and
 * pruned. Each step is a byte for what to do and in which scope, then one byte per word, the last of a name with its high bit set. */
#include "sdk/base/filters.h"

#include <stdlib.h>

#include "sdk/base/topic.h"
#include "tests/fuzz/fuzz.h"

enum { ENTRIES = 24, VALUES = 8, NAME = 300, SCOPES = 2 };

struct entry {
    char filter[NAME];
    size_t size;
    uint32_t scope, value; /* value 0 = free */
};

struct script {
    const uint8_t *at, *end;
};

static size_t take_name(struct script *script, char *out)
{
    static const char *const words[] = { "a", "b", "ab", "$s", "*", ">", "", "\xc3\xa4", "c", "d", "a*", "e", "f", "g", "h", "i" };
    size_t size = 0;
    for (int count = 0; script->at < script->end && count < 40; count++) {
        uint8_t byte = *script->at++;
        const char *word = words[byte & 15];
        if (count > 0) out[size++] = '.';
        memcpy(out + size, word, strlen(word));
        size += strlen(word);
        if ((byte & 0x80) != 0) break;
    }
    return size;
}

static struct entry *find(struct entry *entries, uint32_t scope, const char *name, size_t size, uint32_t value)
{
    for (int i = 0; i < ENTRIES; i++) {
        if (entries[i].value == value && entries[i].scope == scope &&
            span_equal(span_of(entries[i].filter, entries[i].size), span_of(name, size)))
            return &entries[i];
    }
    return NULL;
}

static void add(struct filters *index, struct entry *entries, uint32_t scope, const char *name, size_t size, uint32_t value)
{
    struct entry *known = find(entries, scope, name, size, value), *room = known;
    for (int i = 0; i < ENTRIES && room == NULL; i++) {
        if (entries[i].value == 0) room = &entries[i];
    }
    must(filters_add(index, scope, span_of(name, size), value) == (room != NULL));
    if (room == NULL || known != NULL) return;
    memcpy(room->filter, name, size);
    room->size = size;
    room->scope = scope;
    room->value = value;
}

static void drop(struct filters *index, struct entry *entries, uint32_t scope, const char *name, size_t size, uint32_t value)
{
    struct entry *known = find(entries, scope, name, size, value);
    must(filters_remove(index, scope, span_of(name, size), value) == (known != NULL));
    if (known != NULL) known->value = 0;
}

static void match(const struct filters *index, const struct entry *entries, uint32_t scope, struct span topic, uint32_t out_max)
{
    uint32_t wanted[VALUES + 1], found[VALUES + 1], count = 0;
    for (uint32_t value = 1; value <= VALUES; value++) {
        bool matches = false;
        for (int i = 0; i < ENTRIES; i++)
            matches |= entries[i].value == value && entries[i].scope == scope &&
                       filter_matches(span_of(entries[i].filter, entries[i].size), topic);
        if (matches) wanted[count++] = value;
    }
    must(filters_match(index, scope, topic, found, out_max) == count);
    if (count <= out_max) must(memcmp(found, wanted, count * sizeof *found) == 0);
    for (uint32_t i = 1; i < count && i < out_max; i++)
        must(found[i] > found[i - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t secret[2] = { 3, 4 };
    struct entry entries[ENTRIES] = { 0 };
    struct script script = { data, data + size };
    char name[NAME];
    if (size == 0 || size > 4096) return 0;
    void *memory = calloc(1, filters_memory(ENTRIES, SCOPES));
    struct filters *index = filters_init(memory, ENTRIES, SCOPES, secret);
    while (script.at < script.end) {
        uint8_t step = *script.at++;
        size_t name_size = take_name(&script, name);
        struct span span = span_of(name, name_size);
        uint32_t scope = 1 + (step >> 6) % SCOPES;
        must(!topic_is_valid(span) || filter_is_valid(span));
        if ((step & 3) == 0 && topic_is_valid(span)) match(index, entries, scope, span, step >> 2 & VALUES);
        if ((step & 3) == 1 && topic_is_valid(span)) match(index, entries, scope, span, VALUES);
        if ((step & 3) == 2 && filter_is_valid(span)) add(index, entries, scope, name, name_size, 1 + (step >> 2) % VALUES);
        if ((step & 3) == 3 && filter_is_valid(span)) drop(index, entries, scope, name, name_size, 1 + (step >> 2) % VALUES);
    }
    free(memory);
    return 0;
}
