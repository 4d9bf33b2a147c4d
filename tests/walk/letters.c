#include "tests/walk/letters.h"

#include "proto/event.h"

struct letter_seen *letters_newest(struct letters *l, uint64_t event)
{
    for (uint32_t i = l->count; i > 0; i--)
        if (l->all[i - 1].event == event) return &l->all[i - 1];
    return NULL;
}

struct letter_seen *letters_at(struct letters *l, uint64_t place)
{
    for (uint32_t i = l->count; i > 0; i--)
        if (l->all[i - 1].place == place) return &l->all[i - 1];
    return NULL;
}

void letters_begin_generation(struct letters *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->all[i].state != LETTER_OVER) l->all[i].state = LETTER_LIES, l->all[i].old = true;
}

void letters_forget(struct letters *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        l->all[i].state = LETTER_OVER;
}

/* A letter is carried forward with the same bytes and in the same state. */
static const char *take_letter(struct letters *l, const struct block *block, uint32_t index, struct span original, large_look *look,
                               const void *log)
{
    const struct record *record = &block->records[index];
    struct event event;
    const struct letter_seen *before = letters_newest(l, record->cause);
    bool again = record->flags & RECORD_AGAIN;
    if (event_scan(block_body(block, record), &event) != EVENT_OK || !span_equal(event.topic, span_text("$dlq.g")))
        return "a letter is no event";
    if (!large_same(event.data, original, look, log)) return "a letter is not the event";
    if (again && (!before || before->state == LETTER_OVER)) return "a letter that is over is carried forward";
    if (!again && before && before->state == LETTER_LIES && !before->old) return "an event has two letters";
    if (!again && before && before->state == LETTER_RETRIED && before->acked) return "given up after its ack was answered";
    if (l->count == sizeof l->all / sizeof l->all[0]) return NULL;
    l->all[l->count++] = (struct letter_seen){ .event = record->cause,
                                               .place = block->first_position + index,
                                               .state = again ? before->state : LETTER_LIES,
                                               .old = before && before->old && (again || before->state == LETTER_RETRIED),
                                               .given = again ? before->given : 0,
                                               .uncertain = again && before->uncertain,
                                               .tried = again && before->tried };
    return NULL;
}

static const char *take_changes(struct letters *l, const struct block *block, uint32_t index)
{
    static struct record_dead rows[4096];
    static const enum letter_state states[DEAD_STATES] = { LETTER_LIES, LETTER_RETRIED, LETTER_OVER };
    struct record_dead_letters read;
    if (!record_dead_letters_read(block_body(block, &block->records[index]), rows, 4096, &read))
        return "a record of dead letters cannot be read";
    for (uint32_t i = 0; i < read.count; i++) {
        struct letter_seen *letter = letters_newest(l, rows[i].event);
        if (!letter || letter->state == LETTER_OVER || letter->place != rows[i].place) return "a letter that is not there changes";
        if (letter->state == LETTER_RETRIED && !letter->tried) return "a letter is over that nobody has settled";
        letter->state = states[rows[i].state];
        letter->tried = letter->acked = false;
    }
    return NULL;
}

const char *letters_take(struct letters *l, const struct block *block, uint32_t index, large_look *look, const void *log)
{
    const struct record *record = &block->records[index];
    uint32_t kind = record->kind & ~(uint32_t)RECORD_MUST_UNDERSTAND;
    if (kind == RECORD_DEAD_LETTERS) return take_changes(l, block, index);
    return kind == RECORD_EVENT && record->flags & RECORD_DEAD ? take_letter(l, block, index, look(log, record->cause), look, log) : NULL;
}
