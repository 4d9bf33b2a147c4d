/* Every event asks "who wants this topic?", and there may be a hundred thousand filters. A trie of words answers by walking the topic's
 * words; a node is found by one look-up of (parent, word), so neither the number of filters nor a node's number of children matters.
 *
 * What a match costs: the nodes whose path matches a beginning of the topic. A node has a `*` child beside the child for the word, so that
 * is at most 2^depth of them, and only where filters exist that differ in just these places.
 *
 * How the parts hang together
 *   node   one word after its parent's; the root of scope n is node n. Values of filters that end here (`exact`) and that end in `>` here
 * (`tail`). entry  one (node, end, value); a doubly linked list per node and end, and in `pairs` by that triple, so adding and removing
 * never search. word   64-bit SipHash under the secret, mixed with the parent: the key in `words`. Two words that collide would be taken
 * for one another; under a secret that nobody outside knows the chance is that of guessing 64 bits, per pair. member one distinct value, by
 * value in `members`, with a stamp that says whether the match under way has counted it already. Only a match that finds more than its
 * caller has room for needs that; the others sort what they found and drop what is there twice. `words` starts small and doubles, so an
 * index that holds little touches little of its memory. Invariants: a node other than a root has an entry or a child; all memory fits
 * entries_max entries of TOPIC_WORDS_MAX words each. */
#include "sdk/base/filters.h"

#include "sdk/base/map.h"
#include "sdk/base/must.h"
#include "sdk/base/slab.h"
#include "sdk/base/topic.h"

enum end { END_EXACT, END_TAIL, ENDS };
enum { WORDS_FIRST = 64 };

struct node {
    uint64_t key; /* in words; unused for a `*` child and a root */
    uint32_t parent;
    uint32_t star;     /* the `*` child */
    uint32_t children; /* without the `*` child */
    uint32_t first_entry[ENDS];
    bool is_star;
};

struct entry {
    uint32_t node, value, member, before, after;
    uint32_t end;
};

struct member {
    uint32_t entries;
    uint32_t unused;
    uint64_t stamp;
};

struct filters {
    struct slab nodes, entries, members;
    struct map words, pairs, values;
    uint32_t words_max, scopes;
    uint64_t stamp;
    uint64_t secret[2];
};

/* One entry too many is never begun, so nodes for entries_max filters are enough. */
static uint32_t nodes_max(uint32_t entries_max, uint32_t scopes_max)
{
    must(entries_max <= UINT32_MAX / 2 / (TOPIC_WORDS_MAX + 1) && scopes_max <= UINT32_MAX / 4);
    return entries_max * TOPIC_WORDS_MAX + scopes_max;
}

static size_t header_bytes(void)
{
    return (sizeof(struct filters) + 63) & ~(size_t)63;
}

size_t filters_memory(uint32_t entries_max, uint32_t scopes_max)
{
    uint32_t nodes = nodes_max(entries_max, scopes_max);
    return header_bytes() + slab_memory(nodes, sizeof(struct node)) + slab_memory(entries_max, sizeof(struct entry)) +
           slab_memory(entries_max, sizeof(struct member)) + map_memory(nodes) + 2 * map_memory(entries_max);
}

struct filters *filters_init(void *zeroed_memory, uint32_t entries_max, uint32_t scopes_max, const uint64_t secret[2])
{
    uint32_t nodes = nodes_max(entries_max, scopes_max);
    struct filters *index = zeroed_memory;
    uint8_t *at = (uint8_t *)zeroed_memory + header_bytes();
    slab_init(&index->nodes, at, nodes, sizeof(struct node));
    at += slab_memory(nodes, sizeof(struct node));
    slab_init(&index->entries, at, entries_max, sizeof(struct entry));
    at += slab_memory(entries_max, sizeof(struct entry));
    slab_init(&index->members, at, entries_max, sizeof(struct member));
    at += slab_memory(entries_max, sizeof(struct member));
    map_init(&index->pairs, at, entries_max);
    at += map_memory(entries_max);
    map_init(&index->values, at, entries_max);
    at += map_memory(entries_max);
    index->words_max = nodes;
    map_init(&index->words, at, nodes < WORDS_FIRST ? nodes : WORDS_FIRST);
    index->secret[0] = secret[0];
    index->secret[1] = secret[1];
    index->scopes = scopes_max;
    for (uint32_t scope = 1; scope <= scopes_max; scope++)
        must(slab_take(&index->nodes) == scope);
    return index;
}

static struct node *node_at(const struct filters *index, uint32_t handle)
{
    return slab_at(&index->nodes, handle);
}

static struct entry *entry_at(const struct filters *index, uint32_t handle)
{
    return slab_at(&index->entries, handle);
}

/* Walks the words of a name: false after the last one. */
static bool next_word(struct span name, size_t *at, struct span *out_word)
{
    if (*at > name.size) return false;
    size_t end = *at;
    while (end < name.size && name.data[end] != '.')
        end++;
    *out_word = span_of(name.data + *at, end - *at);
    *at = end + 1;
    return true;
}

static bool is_sign(struct span word, uint8_t sign)
{
    return word.size == 1 && word.data[0] == sign;
}

static uint64_t child_key(uint64_t word_hash, uint32_t parent)
{
    return word_hash + parent * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t pair_key(uint32_t node, enum end end, uint32_t value)
{
    return (uint64_t)(node * ENDS + end) << 32 | value;
}

static void grow_words(struct filters *index)
{
    struct map *words = &index->words;
    uint32_t limit = words->limit > index->words_max / 2 ? index->words_max : words->limit * 2;
    struct map_slot *slots = words->slots;
    memset(slots, 0, ((size_t)words->mask + 1) * sizeof *slots);
    map_init(words, slots, limit);
    for (uint32_t handle = index->scopes + 1; handle <= index->nodes.touched; handle++) {
        if (!slab_is_taken(&index->nodes, handle) || node_at(index, handle)->is_star) continue;
        must(map_put(words, node_at(index, handle)->key, handle));
    }
}

static uint32_t child_of(const struct filters *index, uint32_t parent, struct span word)
{
    const struct node *node = node_at(index, parent);
    if (is_sign(word, '*')) return node->star;
    if (node->children == 0) return 0;
    return map_get(&index->words, child_key(map_hash(index->secret, word.data, word.size), parent));
}

static uint32_t add_child(struct filters *index, uint32_t parent, struct span word)
{
    uint32_t handle = slab_take(&index->nodes);
    must(handle != 0);
    struct node *node = node_at(index, handle);
    node->parent = parent;
    if (is_sign(word, '*')) {
        node->is_star = true;
        node_at(index, parent)->star = handle;
        return handle;
    }
    node->key = child_key(map_hash(index->secret, word.data, word.size), parent);
    node_at(index, parent)->children++;
    if (index->words.count == index->words.limit)
        grow_words(index); /* finds the new node too */
    else
        must(map_put(&index->words, node->key, handle));
    return handle;
}

/* The node where filter ends, 0 when there is none. */
static uint32_t find_end(const struct filters *index, uint32_t scope, struct span filter, enum end *out_end)
{
    struct span word;
    uint32_t node = scope;
    *out_end = END_EXACT;
    for (size_t at = 0; node != 0 && next_word(filter, &at, &word);) {
        if (is_sign(word, '>'))
            *out_end = END_TAIL;
        else
            node = child_of(index, node, word);
    }
    return node;
}

static uint32_t make_end(struct filters *index, uint32_t scope, struct span filter)
{
    struct span word;
    uint32_t node = scope;
    for (size_t at = 0; next_word(filter, &at, &word) && !is_sign(word, '>');) {
        uint32_t child = child_of(index, node, word);
        node = child != 0 ? child : add_child(index, node, word);
    }
    return node;
}

static uint32_t join_members(struct filters *index, uint32_t value)
{
    uint32_t handle = map_get(&index->values, value);
    if (handle == 0) {
        handle = slab_take(&index->members);
        must(handle != 0 && map_put(&index->values, value, handle));
    }
    struct member *member = slab_at(&index->members, handle);
    member->entries++;
    return handle;
}

static void leave_members(struct filters *index, uint32_t value, uint32_t handle)
{
    struct member *member = slab_at(&index->members, handle);
    if (--member->entries > 0) return;
    must(map_remove(&index->values, value));
    slab_free(&index->members, handle);
}

bool filters_add(struct filters *index, uint32_t scope, struct span filter, uint32_t value)
{
    must(value != 0 && scope != 0 && scope <= index->scopes);
    enum end end;
    uint32_t at = find_end(index, scope, filter, &end);
    if (at != 0 && map_get(&index->pairs, pair_key(at, end, value)) != 0) return true;
    uint32_t handle = slab_take(&index->entries);
    if (handle == 0) return false;
    uint32_t node = at != 0 ? at : make_end(index, scope, filter);
    /* a walk that failed did not see the rest of the filter */
    end = filter.data[filter.size - 1] == '>' ? END_TAIL : END_EXACT;
    uint32_t *first = &node_at(index, node)->first_entry[end];
    *entry_at(index, handle) =
        (struct entry){ .node = node, .value = value, .member = join_members(index, value), .after = *first, .end = end };
    if (*first != 0) entry_at(index, *first)->before = handle;
    *first = handle;
    must(map_put(&index->pairs, pair_key(node, end, value), handle));
    return true;
}

/* Frees handle and then its ancestors as far as nothing hangs on them. */
static void prune(struct filters *index, uint32_t handle)
{
    while (handle > index->scopes) {
        struct node *node = node_at(index, handle);
        if (node->first_entry[END_EXACT] != 0 || node->first_entry[END_TAIL] != 0 || node->children != 0 || node->star != 0) return;
        uint32_t parent = node->parent;
        if (node->is_star) {
            node_at(index, parent)->star = 0;
        } else {
            must(map_remove(&index->words, node->key));
            node_at(index, parent)->children--;
        }
        slab_free(&index->nodes, handle);
        handle = parent;
    }
}

bool filters_remove(struct filters *index, uint32_t scope, struct span filter, uint32_t value)
{
    must(scope != 0 && scope <= index->scopes);
    enum end end;
    uint32_t node = find_end(index, scope, filter, &end);
    if (node == 0) return false;
    uint32_t handle = map_get(&index->pairs, pair_key(node, end, value));
    if (handle == 0) return false;
    struct entry *entry = entry_at(index, handle);
    if (entry->after != 0) entry_at(index, entry->after)->before = entry->before;
    if (entry->before != 0)
        entry_at(index, entry->before)->after = entry->after;
    else
        node_at(index, node)->first_entry[end] = entry->after;
    must(map_remove(&index->pairs, pair_key(node, end, value)));
    leave_members(index, value, entry->member);
    slab_free(&index->entries, handle);
    prune(index, node);
    return true;
}

struct match {
    const struct filters *index;
    uint64_t stamp; /* 0: values found twice are written and counted twice */
    uint32_t *out;
    uint32_t out_max, found;
};

static bool is_counted(const struct match *match, const struct entry *entry)
{
    if (match->stamp == 0) return false;
    struct member *member = slab_at(&match->index->members, entry->member);
    bool counted = member->stamp == match->stamp;
    member->stamp = match->stamp;
    return counted;
}

static void collect(struct match *match, uint32_t entry)
{
    while (entry != 0) {
        const struct entry *found = entry_at(match->index, entry);
        if (!is_counted(match, found)) {
            if (match->found < match->out_max) match->out[match->found] = found->value;
            match->found++;
        }
        entry = found->after;
    }
}

static void sink(uint32_t *values, uint32_t at, uint32_t count)
{
    uint32_t value = values[at];
    for (uint32_t child; (child = at * 2 + 1) < count; at = child) {
        if (child + 1 < count && values[child + 1] > values[child]) child++;
        if (values[child] <= value) break;
        values[at] = values[child];
    }
    values[at] = value;
}

/* Heapsort: in place, no recursion, and no input makes it slow. */
static void sort(uint32_t *values, uint32_t count)
{
    for (uint32_t at = count / 2; at > 0; at--)
        sink(values, at - 1, count);
    for (uint32_t last = count; last > 1; last--) {
        uint32_t highest = values[0];
        values[0] = values[last - 1];
        values[last - 1] = highest;
        sink(values, 0, last - 1);
    }
}

/* Drops repeated values from a sorted array; returns how many are left. */
static uint32_t unique(uint32_t *values, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || values[kept - 1] != values[i]) values[kept++] = values[i];
    }
    return kept;
}

struct step {
    uint32_t node, depth;
};

/* Visits every node whose path matches the first words of the topic, depth first. The stack holds at most one waiting `*` child per word.
 */
static void walk(struct match *match, uint32_t scope, const uint64_t *hashes, uint32_t words, bool system)
{
    struct step stack[TOPIC_WORDS_MAX + 2];
    uint32_t height = 0;
    stack[height++] = (struct step){ scope, 0 };
    while (height > 0) {
        struct step step = stack[--height];
        const struct node *node = node_at(match->index, step.node);
        if (step.depth == words) {
            collect(match, node->first_entry[END_EXACT]);
            continue;
        }
        if (!system || step.depth > 0) {
            collect(match, node->first_entry[END_TAIL]);
            if (node->star != 0) {
                __builtin_prefetch(node_at(match->index, node->star));
                stack[height++] = (struct step){ node->star, step.depth + 1 };
            }
        }
        if (node->children == 0) continue;
        uint32_t child = map_get(&match->index->words, child_key(hashes[step.depth], step.node));
        if (child != 0) stack[height++] = (struct step){ child, step.depth + 1 };
    }
}

uint32_t filters_match(const struct filters *index, uint32_t scope, struct span topic, uint32_t *out, uint32_t out_max)
{
    must(scope != 0 && scope <= index->scopes);
    uint64_t hashes[TOPIC_WORDS_MAX];
    uint32_t words = 0;
    struct span word;
    for (size_t at = 0; next_word(topic, &at, &word);) {
        must(words < TOPIC_WORDS_MAX);
        hashes[words++] = map_hash(index->secret, word.data, word.size);
    }
    struct match match = { .index = index, .out = out, .out_max = out_max };
    bool system = topic.data[0] == '$';
    walk(&match, scope, hashes, words, system);
    if (match.found > out_max) {
        /* The stamps are scratch marks, no part of what the index holds. */
        match.stamp = ++((struct filters *)(uintptr_t)index)->stamp;
        match.found = 0;
        walk(&match, scope, hashes, words, system);
    }
    uint32_t written = match.found < out_max ? match.found : out_max;
    sort(out, written);
    return match.found > out_max ? match.found : unique(out, written);
}
