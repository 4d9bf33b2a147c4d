/* Large events: over 64 KiB what an author wrote travels in parts. Here they are written, and what passes the tap or comes to a program is
 * put together again, so that the oracle sees events as their authors wrote them: whole, or not at all. */
#include <stdlib.h>
#include <string.h>

#include "proto/event.h"
#include "proto/parts.h"
#include "tests/sim/sim.h"

enum {
    UNDER_WAY_MAX = 256,
    STORED_MAX = 4096,
    EMITS_MAX = 256,
    NAMES_MAX = 4096,
    FORGOTTEN_MS = 30000 /* a connection that began one has ended long ago */
};

struct under_way { /* what has come of one */
    bool up;
    uint32_t connection;
    uint64_t lease, of, seq; /* of: the number, the emit's place in its settle, or the subscription */
    uint32_t next, count;    /* parts */
    uint8_t *data;
    size_t size;
};
struct stored_part {
    uint64_t position, event /* 0: it is not stored yet */, since_ns;
};
struct larges {
    struct {
        char name[LARGE_NAME];
        uint32_t event;
    } names[NAMES_MAX];
    uint32_t name_count;
    struct under_way items[UNDER_WAY_MAX];
    struct stored_part stored[STORED_MAX]; /* of events that the auditor has not read */
    uint32_t stored_count;
    uint32_t turn; /* of which the next one takes the place */
    uint8_t *room; /* of one that was put together */
    size_t room_size;
    uint8_t *emits; /* of one settle, put together */
    size_t emits_room;
    uint32_t emit_sizes[EMITS_MAX];
};

void larges_init(struct sim *sim)
{
    if (knob(sim, KNOB_larges)) sim->larges = calloc(1, sizeof *sim->larges);
}

void larges_free(struct sim *sim)
{
    for (uint32_t i = 0; sim->larges && i < UNDER_WAY_MAX; i++)
        free(sim->larges->items[i].data);
    if (sim->larges) free(sim->larges->room);
    if (sim->larges) free(sim->larges->emits);
    free(sim->larges);
}

/* -- writing -- */

/* Its beginning says which it is; the rest is like that of no other, and of no other place. */
static void fill(uint8_t *data, size_t size, const char *text, uint64_t seed)
{
    size_t at = strlen(text);
    memcpy(data, text, at);
    for (; at + 8 <= size; at += 8) {
        uint64_t word = (seed + at) * UINT64_C(0x9e3779b97f4a7c15);
        for (int i = 0; i < 8; i++)
            data[at + i] = (uint8_t)(word >> (8 * i));
    }
    memset(data + at, 'x', size - at);
}

void large_event_write(struct sim *sim, struct random *random, const char *topic, const char *text, struct large_event *out)
{
    uint32_t most_kb = knob(sim, KNOB_large_kb);
    size_t size = ((size_t)64 + random_below(random, most_kb > 64 ? most_kb - 63 : 1)) << 10;
    size += chance(random, 50) ? 1 + random_below(random, 5000) : chance(random, 50); /* some end with a whole part */
    uint8_t *data = malloc(size);
    fill(data, size, text, random_next(random));
    struct event event = { .topic = span_text(topic), .data = span_of(data, size), .type = span_text(text) };
    snprintf(out->name, sizeof out->name, "%s", text);
    out->size = event_encoded_size(&event, NULL, 0);
    out->data_size = size;
    out->bytes = malloc(out->size);
    event_encode(&event, NULL, 0, out->bytes);
    free(data);
}

uint32_t large_event_known(struct sim *sim, const char *topic, const struct large_event *large)
{
    struct oracle_event known = { .bytes = large->bytes, .size = large->size, .topic = topic };
    uint32_t event = oracle_writes(sim->oracle, &known);
    large_is_named(sim, large->name, event);
    return event;
}

void large_is_named(struct sim *sim, const char *name, uint32_t event)
{
    struct larges *l = sim->larges;
    if (l->name_count == NAMES_MAX) return;
    snprintf(l->names[l->name_count].name, LARGE_NAME, "%s", name);
    l->names[l->name_count++].event = event;
}

static uint32_t event_named(const struct larges *l, struct span name)
{
    for (uint32_t i = 0; i < l->name_count; i++)
        if (span_equal(name, span_text(l->names[i].name))) return l->names[i].event;
    return 0;
}

/* -- putting together -- */

static struct under_way *find(struct sim *sim, bool up, uint32_t connection, uint64_t lease, uint64_t of)
{
    for (uint32_t i = 0; i < UNDER_WAY_MAX; i++) {
        struct under_way *u = &sim->larges->items[i];
        if (u->connection == connection && u->up == up && u->lease == lease && u->of == of && u->count) return u;
    }
    return NULL;
}

static struct under_way *begin(struct sim *sim, bool up, uint32_t connection, const struct msg_part *part, uint64_t of)
{
    struct under_way *u = find(sim, up, connection, part->lease, of);
    for (uint32_t i = 0; !u && i < UNDER_WAY_MAX; i++)
        if (sim->larges->items[i].count == 0) u = &sim->larges->items[i];
    if (!u) u = &sim->larges->items[sim->larges->turn++ % UNDER_WAY_MAX]; /* one that was given up, most likely */
    free(u->data);
    *u = (struct under_way){ .up = up, .connection = connection, .lease = part->lease, .of = of, .seq = part->seq, .count = part->count };
    u->data = malloc((size_t)part->count * PART_BYTES);
    return u;
}

void large_part(struct sim *sim, bool up, uint32_t connection, const struct msg_part *part, const uint8_t *bytes)
{
    if (!sim->larges || part->count == 0 || part->count > PARTS_MAX || part->size > PART_BYTES) return;
    uint64_t of = up ? part->number : part->subscription;
    struct under_way *u = part->index == 0 ? begin(sim, up, connection, part, of) : find(sim, up, connection, part->lease, of);
    if (!u || part->index != u->next || part->count != u->count || part->seq != u->seq) {
        if (u) u->count = 0;
        return;
    }
    memcpy(u->data + u->size, bytes, part->size);
    u->size += part->size;
    u->next++;
}

/* As its author wrote it. */
static struct span as_written(struct sim *sim, struct event *event, struct span data)
{
    struct event_header headers[EVENT_HEADERS_MAX];
    size_t count = 0, cursor = 0;
    while (count < EVENT_HEADERS_MAX && event_header_next(event, &cursor, &headers[count].name, &headers[count].value))
        count++;
    event->parts = span_of(NULL, 0);
    event->data = data;
    size_t size = event_encoded_size(event, headers, count);
    if (size > sim->larges->room_size) sim->larges->room = realloc(sim->larges->room, sim->larges->room_size = size);
    return span_of(sim->larges->room, event_encode(event, headers, count, sim->larges->room));
}

struct span large_took(struct sim *sim, uint32_t connection, uint64_t lease, uint64_t number, struct span bytes)
{
    struct event event;
    struct under_way *u = sim->larges ? find(sim, true, connection, lease, number) : NULL;
    if (!u || u->next != u->count || event_scan(bytes, &event) != EVENT_OK || event.data.size) return bytes;
    struct span whole = as_written(sim, &event, span_of(u->data, u->size));
    u->count = 0;
    return whole;
}

const uint8_t *large_emits(struct sim *sim, uint32_t connection, uint64_t lease, const uint8_t *bytes, const uint32_t **sizes,
                           uint32_t count)
{
    struct larges *l = sim->larges;
    size_t used = 0;
    if (!l || count > EMITS_MAX) return bytes;
    for (uint32_t i = 0; i < count; bytes += (*sizes)[i++]) {
        struct span whole = large_took(sim, connection, lease, i + 1, span_of(bytes, (*sizes)[i]));
        if (used + whole.size > l->emits_room) l->emits = realloc(l->emits, l->emits_room = 2 * (used + whole.size));
        memcpy(l->emits + used, whole.data, whole.size);
        l->emit_sizes[i] = (uint32_t)whole.size;
        used += whole.size;
    }
    *sizes = l->emit_sizes;
    return l->emits;
}

/* Without its data it comes only to who does not take so much, or when its first part has left the window. */
static struct span without_data(struct sim *sim, uint64_t seq, const struct event *event, uint64_t takes)
{
    uint64_t positions[PARTS_MAX];
    struct parts parts;
    struct span bytes = { NULL, 0 };
    uint32_t known = event_named(sim->larges, event->type);
    if (!parts_read(event->parts, positions, PARTS_MAX, &parts))
        sim_fail(sim, "whole_or_not_at_all", "seq %llu says its parts badly", (unsigned long long)seq);
    if (known) bytes.data = oracle_bytes(sim->oracle, known, &bytes.size);
    if (known && bytes.size <= takes && positions[0] >= sim->host.window)
        sim_fail(sim, "whole_or_not_at_all", "seq %llu of %zu bytes comes without its data to one who takes %llu", (unsigned long long)seq,
                 bytes.size, (unsigned long long)takes);
    return bytes;
}

static uint64_t takes(struct sim *sim, uint32_t connection)
{
    const struct connection *c = wire_find(sim, connection);
    return c ? c->takes : 0;
}

struct span large_told(struct sim *sim, uint32_t connection, const struct large_place *place, struct span bytes)
{
    struct event event;
    if (!sim->larges || event_scan(bytes, &event) != EVENT_OK || event.parts.size == 0) return bytes;
    struct under_way *u = find(sim, false, connection, place->lease, place->lease ? 0 : place->subscription);
    if (!u || u->next != u->count || u->seq != place->seq) {
        if (place->lease)
            sim_fail(sim, "whole_or_not_at_all", "seq %llu is delivered without all its parts", (unsigned long long)place->seq);
        return without_data(sim, place->seq, &event, takes(sim, connection));
    }
    struct span whole = as_written(sim, &event, span_of(u->data, u->size));
    u->count = 0;
    if (whole.size > EVENT_BYTES_MAX + takes(sim, connection)) /* each may be a little longer as it is sent [R-PART-7] */
        sim_fail(sim, "only_to_who_takes_it", "seq %llu of %zu bytes is sent to connection %u", (unsigned long long)place->seq, whole.size,
                 connection);
    return whole;
}

struct span large_heard(struct peer *peer, uint64_t seq, struct span bytes)
{
    struct sim *sim = peer->sim;
    struct event event;
    if (!sim->larges || event_scan(bytes, &event) != EVENT_OK) return bytes;
    if (event.parts.size) return without_data(sim, seq, &event, peer->takes);
    if (bytes.size <= EVENT_BYTES_MAX) return bytes;
    struct span whole = as_written(sim, &event, event.data);
    bool same = oracle_event_of(sim->oracle, whole.data, whole.size) == oracle_event_at(sim->oracle, seq);
    if (!same && !oracle_is_gone(sim->oracle, seq))
        sim_fail(sim, "whole_or_not_at_all", "%s hears seq %llu otherwise than it was written", peer->name, (unsigned long long)seq);
    return whole;
}

struct span large_copied(struct sim *sim, uint64_t seq, struct span bytes)
{
    struct event event;
    if (!sim->larges || event_scan(bytes, &event) != EVENT_OK || event.parts.size == 0) return bytes;
    return without_data(sim, seq, &event, 0);
}

/* -- the log: what the auditor has still to read is not trimmed below its first part -- */

static void claim(struct larges *l, uint64_t event, const uint64_t *positions, uint32_t count)
{
    for (uint32_t i = 0; i < l->stored_count; i++)
        for (uint32_t k = 0; k < count; k++)
            if (l->stored[i].position == positions[k]) l->stored[i].event = event;
}

void large_stored(struct sim *sim, const struct block *block)
{
    struct larges *l = sim->larges;
    for (uint32_t i = 0; l && i < block->record_count; i++) {
        const struct record *record = &block->records[i];
        uint64_t positions[PARTS_MAX], position = block->first_position + i;
        struct event event;
        struct parts parts;
        if ((record->kind & ~RECORD_MUST_UNDERSTAND) == RECORD_PART && l->stored_count < STORED_MAX)
            l->stored[l->stored_count++] = (struct stored_part){ .position = position, .since_ns = sim->now_ns };
        if ((record->flags & RECORD_PARTS) && event_scan(block_body(block, record), &event) == EVENT_OK &&
            parts_read(event.parts, positions, PARTS_MAX, &parts))
            claim(l, position, positions, parts.count);
    }
}

void large_host_crashes(struct sim *sim)
{
    struct larges *l = sim->larges;
    uint32_t kept = 0;
    for (uint32_t i = 0; l && i < l->stored_count; i++)
        if (l->stored[i].event) l->stored[kept++] = l->stored[i]; /* what was not ended never will be */
    if (l) l->stored_count = kept;
}

uint64_t large_may_trim(struct sim *sim, uint64_t position)
{
    struct larges *l = sim->larges;
    uint32_t kept = 0;
    for (uint32_t i = 0; l && i < l->stored_count; i++) {
        const struct stored_part *part = &l->stored[i];
        bool over = part->event ? part->event <= sim->audited : sim->now_ns - part->since_ns > FORGOTTEN_MS * NS_PER_MS;
        if (over) continue;
        if (part->position < position) position = part->position;
        l->stored[kept++] = *part;
    }
    if (l) l->stored_count = kept;
    return position;
}
