/* Requests, and what workers say to them: pieces while they work, then the answer with the settle. */
#include <stdio.h>
#include <string.h>

#include "proto/event.h"
#include "tests/sim/sim.h"

static void write_event(struct sim *sim, const struct event *event, uint32_t answers, const char *topic, struct written *out)
{
    out->size = event_encode(event, NULL, 0, out->bytes);
    out->data_size = event->data.size;
    struct oracle_event known = { .bytes = out->bytes,
                                  .size = out->size,
                                  .data = event->data.data,
                                  .data_size = event->data.size,
                                  .topic = topic,
                                  .deadline_ms = event->deadline_ms,
                                  .answers = answers };
    out->event = oracle_writes(sim->oracle, &known);
}

void request_write(struct peer *peer, const char *topic, const char *inbox, uint32_t nth, struct written *out)
{
    struct sim *sim = peer->sim;
    char data[64];
    int size = snprintf(data, sizeof data, "%s.%u asks %u", peer->name, peer->lives, nth);
    struct event event = { .topic = span_text(topic), .data = span_of(data, (size_t)size), .reply_to = span_text(inbox) };
    event.deadline_ms = log_ms(sim) + chance_between(&peer->random, 1, 2 * knob(sim, KNOB_request_ms));
    write_event(sim, &event, 0, topic, out);
    oracle_requests(sim->oracle, out->event, NEVER);
}

void answer_begin(struct peer *peer, struct answering *a, uint32_t group, struct span bytes)
{
    struct event event;
    *a = (struct answering){ .seq = 0 };
    if (event_scan(bytes, &event) != EVENT_OK || event.reply_to.size == 0 || event.reply_to.size >= sizeof a->reply_to) return;
    a->event = oracle_event_of(peer->sim->oracle, bytes.data, bytes.size);
    if (!a->event) return;
    memcpy(a->reply_to, event.reply_to.data, event.reply_to.size);
    a->group = group;
    a->left = knob(peer->sim, KNOB_partials) ? random_below(&peer->random, knob(peer->sim, KNOB_partials) + 1) : 0;
}

/* What it is a piece of stands in it. */
bool answer_piece(struct peer *peer, uint32_t handle, struct answering *a)
{
    char data[160];
    if (a->left == 0) return false;
    int size = snprintf(data, sizeof data, "{\"seq\":%llu,\"attempt\":%u,\"group\":%u,\"index\":%u}", (unsigned long long)a->seq,
                        a->attempt, a->group, a->index);
    a->left--;
    if (link_partial(peer->link, handle, span_text(a->reply_to), span_of(data, (size_t)size)) == LINK_OK) a->index++;
    return true;
}

size_t answer_write(struct peer *peer, const struct answering *a, uint32_t reply, uint32_t nth, uint8_t *out)
{
    char data[160];
    struct written written;
    int size = snprintf(data, sizeof data, "{\"answer\":%u,\"to\":%llu,\"attempt\":%u,\"by\":\"%s.%u\"}", nth, (unsigned long long)a->seq,
                        a->attempt, peer->name, peer->lives);
    struct event event = { .topic = span_text(a->reply_to), .data = span_of(data, (size_t)size), .reply = reply };
    event.code = reply == EVENT_REPLY_ERROR ? CODE_FORBIDDEN : CODE_OK;
    write_event(peer->sim, &event, a->event, a->reply_to, &written);
    memcpy(out, written.bytes, written.size);
    return written.size;
}
