/* Parts come before their event, and positions rise: so a list of all parts so far, in order, is all that is needed. */
#include "coordinator/log/verify_parts.h"

#include <stdlib.h>

#include "proto/parts.h"

static bool remember(struct verify_parts *p, uint64_t position, uint32_t size)
{
    if (p->count == p->room) {
        size_t room = p->room != 0 ? p->room * 2 : 1024;
        struct stored_part *grown = realloc(p->items, room * sizeof *grown);
        p->no_memory = grown == NULL;
        if (grown == NULL) return false;
        p->items = grown;
        p->room = room;
    }
    p->items[p->count++] = (struct stored_part){ .position = position, .size = size };
    return true;
}

static const struct stored_part *find(const struct verify_parts *p, uint64_t position)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->items[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->count && p->items[low].position == position ? &p->items[low] : NULL;
}

/* A dead letter holds its event in its data. */
static bool large_event(const struct block *block, const struct record *record, struct event *out)
{
    if (event_scan(block_body(block, record), out) != EVENT_OK) return false;
    return !(record->flags & RECORD_DEAD) || event_scan(out->data, out) == EVENT_OK;
}

static bool check(struct verify_parts *p, const struct block *block, const struct record *record)
{
    uint64_t positions[PARTS_MAX], size = 0;
    struct event event;
    struct parts parts;
    if (!large_event(block, record, &event) || !parts_read(event.parts, positions, PARTS_MAX, &parts)) return false;
    if (positions[0] < p->first_position) return true;
    for (uint32_t i = 0; i < parts.count; i++) {
        const struct stored_part *part = find(p, positions[i]);
        if (part == NULL || !parts_fit(i, parts.count, part->size)) return false;
        size += part->size;
    }
    p->events++;
    return size == parts.size;
}

bool verify_parts_block(struct verify_parts *p, const struct block *block, uint64_t *out_bad)
{
    for (uint32_t i = 0; i < block->record_count; i++) {
        const struct record *record = &block->records[i];
        uint32_t kind = record->kind & ~(uint32_t)RECORD_MUST_UNDERSTAND;
        bool event = kind == RECORD_EVENT || kind == RECORD_HELD;
        *out_bad = block->first_position + i;
        if (kind == RECORD_PART && !remember(p, *out_bad, record->size)) return false;
        if (event && (record->flags & RECORD_PARTS) && !check(p, block, record)) return false;
    }
    return true;
}

void verify_parts_free(struct verify_parts *p)
{
    free(p->items);
}
