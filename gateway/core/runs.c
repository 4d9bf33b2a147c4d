/* Fan-out in runs: the events of one packet for one subscription become one buffer of frames, which every receiver queues by reference. So
 * the cost per socket is paid per run, not per event. */
#include "gateway/core/gate_parts.h"

static void append_frame(struct gate *g, size_t *used, struct event_stamp stamp, struct span bytes)
{
    struct writer w;
    uint8_t *payload = g->scratch + *used + FRAME_HEAD_MAX;
    writer_init(&w, payload, GATE_FRAME_OUT_MAX - *used - FRAME_HEAD_MAX);
    if (!write_event(g, &w, &stamp, bytes, event_data_max(g))) return;
    must(!w.full); /* RUN_BYTES, EVENT_ROOM and DATA_OUT_MAX fit */
    size_t size = writer_size(&w);
    uint8_t head[FRAME_HEAD_MAX];
    size_t head_size = frame_header(head + FRAME_HEAD_MAX, size);
    uint8_t *begin = g->scratch + *used;
    memcpy(begin, head + FRAME_HEAD_MAX - head_size, head_size);
    memmove(begin + head_size, payload, size);
    g->run.events[g->run.count] = (struct run_event){ stamp.seq, stamp.first };
    g->run.offset[g->run.count++] = (uint32_t)*used;
    *used += head_size + size;
}
static_assert(RUN_BYTES + EVENT_ROOM + DATA_OUT_MAX + FRAME_HEAD_MAX <= GATE_FRAME_OUT_MAX, "the last event of a run always fits");

bool run_build(struct gate *g, const struct link_fact *fact, size_t *index, size_t *offset)
{
    g->run.buffer = 0;
    g->run.count = 0;
    size_t used = 0;
    while (*index < fact->events.count && used < RUN_BYTES && g->run.count < RUN_EVENTS) {
        size_t i = (*index)++;
        struct span bytes = span_of(fact->events.body.data + *offset, fact->events.size[i]);
        *offset += bytes.size;
        append_frame(g, &used, event_stamp(fact, i), bytes);
    }
    if (g->run.count == 0) return true;
    g->run.buffer = pool_take(&g->pool, used);
    if (g->run.buffer == 0) return false;
    memcpy(pool_data(&g->pool, g->run.buffer), g->scratch, used);
    pool_set_size(&g->pool, g->run.buffer, used);
    return true;
}

void run_end(struct gate *g)
{
    if (g->run.buffer != 0) pool_unref(&g->pool, g->run.buffer);
    g->run.buffer = 0;
}
