/* Every part of an event begins with the same mark, made of who published it and under which number, and with its index. */
#include "tests/walk/large.h"

struct front {
    uint64_t mark;
    uint32_t index;
};

void large_next(struct large_sending *s, uint32_t peer, bool wrong, uint8_t *room, struct large_packet *out)
{
    *out = (struct large_packet){ 0 };
    if (s->index < s->count) {
        struct front front = { ((uint64_t)peer << 32 | s->number) ^ s->lease, s->index };
        uint32_t size = s->index + 1 < s->count ? PART_BYTES : (uint32_t)sizeof front + s->count;
        memset(room, 0, size);
        memcpy(room, &front, sizeof front);
        out->part =
            (struct msg_part){ .number = s->number, .lease = s->lease, .index = s->index++ + wrong, .count = s->count, .size = size };
        out->packet = (struct packet){ .parts = &out->part, .part_count = 1, .body = span_of(room, size) };
    } else {
        struct event event = { .topic = span_text("a.large"), .delay_ms = s->delay * 100 };
        out->size = (uint32_t)event_encode(&event, NULL, 0, room);
        out->publish = (struct msg_publish){ .first_number = s->number, .size = &out->size, .count = 1 };
        out->packet = (struct packet){ .publishes = &out->publish, .publish_count = 1, .body = span_of(room, out->size) };
        s->count = 0;
    }
    if (wrong) s->count = 0;
}

const char *large_part(struct large_receiving *r, const struct msg_part *part, struct span data)
{
    struct front front;
    if (data.size < sizeof front || !parts_fit(part->index, part->count, part->size)) return "a part of the wrong size";
    memcpy(&front, data.data, sizeof front);
    if (part->index == 0)
        *r = (struct large_receiving){
            .lease = part->lease, .subscription = part->subscription, .seq = part->seq, .mark = front.mark, .count = part->count
        };
    if (part->lease != r->lease || part->subscription != r->subscription || part->seq != r->seq || part->count != r->count)
        return "a part of another event in between";
    if (part->index != r->next || front.index != r->next || front.mark != r->mark) return "a part that is not the next of its event";
    r->next++;
    return NULL;
}

const char *large_event(struct large_receiving *r, bool takes, uint64_t lease, uint64_t subscription, uint64_t seq, struct span bytes)
{
    struct event event;
    struct parts parts;
    if (event_scan(bytes, &event) != EVENT_OK || event.parts.size == 0) return NULL;
    if (!parts_read(event.parts, NULL, PARTS_MAX, &parts)) return "a field `parts` that cannot be read";
    if (!takes) return subscription ? NULL : "a large event to a worker that takes none";
    if (r->count == 0 || r->lease != lease || r->subscription != subscription || r->seq != seq) return "a large event without its parts";
    if (r->next != r->count || parts.count != r->count) return "a large event before its last part";
    r->count = 0;
    return NULL;
}

bool large_same(struct span a, struct span b, large_look *look, const void *log)
{
    struct span author[2], field[2];
    struct parts parts[2];
    static uint64_t positions[2][PARTS_MAX];
    if (span_equal(a, b)) return true;
    if (!parts_author(a, &author[0], &field[0]) || !parts_author(b, &author[1], &field[1]) || !span_equal(author[0], author[1]))
        return false;
    for (uint32_t i = 0; i < 2; i++)
        if (!parts_read(field[i], positions[i], PARTS_MAX, &parts[i]) || parts[i].size != parts[0].size) return false;
    for (uint32_t i = 0; i < parts[0].count; i++)
        if (!span_equal(look(log, positions[0][i]), look(log, positions[1][i]))) return false;
    return true;
}

void large_ended(struct large_receiving *r, uint64_t lease)
{
    if (r->lease == lease) r->count = 0;
}
