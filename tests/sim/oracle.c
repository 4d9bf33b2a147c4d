/* The oracle's records: events by their bytes, connections, time; and its small tools. */
#include "tests/sim/oracle_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t x) /* splitmix64's finish, Steele et al. 2014 */
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t pair_key(uint64_t a, uint64_t b)
{
    return mix(a + UINT64_C(0x9e3779b97f4a7c15)) ^ mix(b ^ UINT64_C(0xd1b54a32d192ed03)) * 3;
}

uint64_t oracle_hash(const uint8_t *bytes, size_t size)
{
    enum { ENOUGH = 4096 }; /* of a large one, which is told from others by its beginning, and compared whole */
    uint64_t hash = UINT64_C(14695981039346656037) ^ size; /* FNV-1a */
    for (size_t i = 0; i < size && i < ENOUGH; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return mix(hash);
}

static size_t slot_of(const struct table *table, uint64_t key)
{
    size_t slot = mix(key) & (table->size - 1);
    while (table->values[slot] && table->keys[slot] != key)
        slot = (slot + 1) & (table->size - 1);
    return slot;
}

uint32_t table_get(const struct table *table, uint64_t key)
{
    uint32_t value = table->size ? table->values[slot_of(table, key)] : 0;
    return value != FORGOTTEN ? value : 0;
}

/* Its slot stays: others are found behind it. */
void table_forget(struct table *table, uint64_t key)
{
    if (table_get(table, key)) table->values[slot_of(table, key)] = FORGOTTEN;
}

void table_put(struct table *table, uint64_t key, uint32_t value)
{
    if (table->count * 2 >= table->size) {
        struct table larger = { .size = table->size ? table->size * 2 : 64, .count = 0 };
        larger.keys = calloc(larger.size, sizeof *larger.keys);
        larger.values = calloc(larger.size, sizeof *larger.values);
        for (size_t i = 0; i < table->size; i++)
            if (table->values[i] && table->values[i] != FORGOTTEN) table_put(&larger, table->keys[i], table->values[i]);
        free(table->keys);
        free(table->values);
        *table = larger;
    }
    size_t slot = slot_of(table, key);
    if (!table->values[slot]) table->count++;
    table->keys[slot] = key;
    table->values[slot] = value;
}

void *list_grow(void *items, uint32_t *room, size_t size)
{
    uint32_t before = *room;
    *room = before ? before * 2 : 16;
    uint8_t *larger = realloc(items, *room * size);
    memset(larger + before * size, 0, (*room - before) * size);
    return larger;
}

_Noreturn void broken(struct oracle *o, const char *check, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    o->broken(o->arg, check, text);
    abort();
}

struct oracle *oracle_new(oracle_broken verdict, void *arg)
{
    struct oracle *o = calloc(1, sizeof *o);
    o->broken = verdict;
    o->arg = arg;
    return o;
}

static void table_free(struct table *table)
{
    free(table->keys);
    free(table->values);
}

void oracle_free(struct oracle *o)
{
    struct table *tables[] = { &o->by_bytes,  &o->by_data,   &o->by_seq,        &o->by_number, &o->by_lease,
                               &o->by_place,  &o->by_settle, &o->by_connection, &o->by_reader, &o->by_request,
                               &o->by_pieces, &o->by_change, &o->by_session,    &o->publishers };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        table_free(tables[i]);
    for (uint32_t i = 1; i <= o->events.count; i++) {
        free(o->events.items[i].topic);
        free(o->events.items[i].bytes);
    }
    for (uint32_t i = 1; i <= o->readers.count; i++) {
        free(o->readers.items[i].filter);
        free(o->readers.items[i].seqs.items);
        free(o->readers.items[i].holes.items);
    }
    for (uint32_t i = 1; i <= o->groups.count; i++)
        free(o->groups.items[i].lost.items);
    void *lists[] = { o->events.items,   o->groups.items,  o->born.items,        o->connections.items, o->leases.items,
                      o->places.items,   o->settles.items, o->emits.items,       o->readers.items,     o->viewers.items,
                      o->requests.items, o->pieces.items,  o->must_cancel.items, o->log.items,         o->repeats.items,
                      o->changes.items,  o->tokens.items,  o->must_keep.items,   o->gone.items,        o->sessions.items,
                      o->moved.items,    o->revoked.items, o->letters.items };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]);
    free(o);
}

void oracle_counts(const struct oracle *o, struct oracle_counts *out)
{
    *out = o->counts;
    out->events = o->events.count;
}

/* -- topics: word by word, naively -- */

bool oracle_fits(const char *filter, const char *topic)
{
    if (topic[0] == '$' && filter[0] != '$') return false; /* wildcards never reach the system's topics */
    while (*filter && *topic) {
        size_t want = strcspn(filter, "."), have = strcspn(topic, ".");
        if (want == 1 && *filter == '>') return true;
        bool any = want == 1 && *filter == '*';
        if (!any && (want != have || memcmp(filter, topic, want) != 0)) return false;
        filter += want + (filter[want] == '.');
        topic += have + (topic[have] == '.');
    }
    return !*filter && !*topic;
}

bool group_wants(const struct group *group, const char *topic)
{
    for (uint32_t i = 0; i < group->spec.filter_count; i++)
        if (oracle_fits(group->spec.filters[i], topic)) return true;
    return false;
}

void oracle_group(struct oracle *o, const struct oracle_group_spec *spec)
{
    list_add(o->groups)->spec = *spec;
}

void oracle_grace(struct oracle *o, uint64_t grace_ms)
{
    o->grace_ns = grace_ms * 1000000;
}

/* -- events -- */

uint32_t oracle_writes(struct oracle *o, const struct oracle_event *event)
{
    struct known *known = list_add(o->events);
    known->topic = strdup(event->topic);
    known->ttl_ms = event->ttl_ms;
    known->delay_ms = event->delay_ms;
    known->not_before_ms = event->not_before_ms;
    known->answers_event = event->answers;
    known->key = event->key;
    known->session = event->session;
    known->foreign = event->foreign;
    if (event->data) table_put(&o->by_data, oracle_hash(event->data, event->data_size), o->events.count);
    if (event->bytes) oracle_encoded(o, o->events.count, event->bytes, event->size, event->deadline_ms);
    known->priority = event->priority;
    known->once = event->once;
    known->token = event->token;
    token_written(o, o->events.count);
    return o->events.count;
}

uint32_t oracle_event_with(const struct oracle *o, const uint8_t *data, size_t size)
{
    return table_get(&o->by_data, oracle_hash(data, size));
}

void oracle_encoded(struct oracle *o, uint32_t event, const uint8_t *bytes, size_t size, uint64_t deadline_ms)
{
    struct known *known = &o->events.items[event];
    if (known->bytes) return;
    known->bytes = malloc(size ? size : 1);
    memcpy(known->bytes, bytes, size);
    known->size = size;
    o->has_large = o->has_large || size > ORACLE_PART_BYTES;
    known->deadline_ms = deadline_ms;
    table_put(&o->by_bytes, oracle_hash(bytes, size), event);
}

const uint8_t *oracle_bytes(const struct oracle *o, uint32_t event, size_t *out_size)
{
    *out_size = o->events.items[event].size;
    return o->events.items[event].bytes;
}

void oracle_foreign(struct oracle *o, uint32_t event)
{
    o->events.items[event].foreign = true;
}

uint32_t oracle_event_of(const struct oracle *o, const uint8_t *bytes, size_t size)
{
    uint32_t event = table_get(&o->by_bytes, oracle_hash(bytes, size));
    if (!event) return 0;
    const struct known *known = &o->events.items[event];
    return known->size == size && memcmp(known->bytes, bytes, size) == 0 ? event : 0;
}

uint32_t oracle_event_at(const struct oracle *o, uint64_t seq)
{
    return table_get(&o->by_seq, seq);
}

void known_taken(struct oracle *o, struct known *known)
{
    if (!known->taken) {
        known->must_follow = o->highest_answer;
        known->born = o->born.count;
        known->taken_first_ms = o->log_ms;
        known->taken_starts = o->starts;
        known->taken_window = o->window;
    }
    known->taken = true;
    known->repeat_seq = 0; /* what was said of it before is lost; now it may be the first */
    known->taken_last_ms = o->log_ms;
    known->taken_turn = o->turn;
}

const char *oracle_topic(const struct oracle *o, uint32_t event)
{
    return event ? o->events.items[event].topic : "?";
}

void event_is_at(struct oracle *o, uint32_t event, uint64_t seq)
{
    if (oracle_is_gone(o, seq)) return; /* it was said before the power was lost, and is heard after */
    struct known *known = &o->events.items[event];
    uint32_t other = table_get(&o->by_seq, seq);
    if (known->seq && known->seq != seq)
        broken(o, "one_place_per_event", "event %u is at seq %llu and at %llu", event, U(known->seq), U(seq));
    if (other && other != event) broken(o, "one_event_per_place", "seq %llu holds the events %u and %u", U(seq), other, event);
    if (!known->taken) broken(o, "nothing_from_nowhere", "event %u at seq %llu was never sent to the coordinator", event, U(seq));
    if (known->refused) broken(o, "refused_is_refused", "event %u was refused and is at seq %llu", event, U(seq));
    if (seq <= known->must_follow)
        broken(o, "order_of_calls", "event %u is at seq %llu, though seq %llu had been answered before it was sent", event, U(seq),
               U(known->must_follow));
    known->seq = seq;
    table_put(&o->by_seq, seq, event);
}

/* -- time and connections -- */

void oracle_turn(struct oracle *o, uint64_t now_ns, uint64_t log_ms)
{
    cancels_end_turn(o);
    sessions_end_turn(o);
    o->turn++;
    o->last_turn_ns = o->now_ns;
    o->now_ns = now_ns;
    o->log_ms = log_ms;
    o->must_keep.count = o->revoked.count = 0;
}

void oracle_window(struct oracle *o, uint64_t first_seq)
{
    if (first_seq > o->window)
        o->window = first_seq; /* after a restart it may be there again: a group that had lost it does not get it back */
}

uint64_t oracle_turn_number(const struct oracle *o)
{
    return o->turn;
}

struct connection *connection_of(struct oracle *o, uint32_t connection)
{
    uint32_t index = table_get(&o->by_connection, connection);
    struct connection *c = index ? &o->connections.items[index] : NULL;
    return c && c->is_there ? c : NULL;
}

void oracle_ends(struct oracle *o, uint32_t connection)
{
    struct connection *c = connection_of(o, connection);
    if (c) c->ends = true;
}

void oracle_ended(struct oracle *o, uint32_t connection)
{
    struct connection *c = connection_of(o, connection);
    if (!c) return;
    c->is_there = false;
    leases_of_ended(o, connection);
}

void oracle_crashes(struct oracle *o)
{
    for (uint32_t i = 1; i <= o->connections.count; i++)
        o->connections.items[i].is_there = false;
    leases_crash(o);
    moves_crash(o);
    sessions_forget(o);
    o->must_cancel.count = 0;
    o->running = false;
}

void oracle_starts(struct oracle *o, uint64_t now_ns)
{
    o->running = true;
    o->starts++;
    levels_begin(o);
    o->now_ns = o->last_turn_ns = now_ns;
    o->adopt_until_ns = now_ns + o->grace_ns;
    for (uint32_t i = 1; i <= o->leases.count; i++)
        if (o->leases.items[i].state == HOLDER_AWAITED) o->leases.items[i].until_ns = o->adopt_until_ns;
}
