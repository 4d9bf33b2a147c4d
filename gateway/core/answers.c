/* The frames that go to one client. A frame is built in the scratch room behind space for its header, then copied into the client's queue.
 */
#include "gateway/core/gate_parts.h"

size_t frame_header(uint8_t *before, size_t payload)
{
    if (payload < 126) {
        before[-2] = 0x81; /* a whole text message (RFC 6455, 5.2); servers do not mask */
        before[-1] = (uint8_t)payload;
        return 2;
    }
    if (payload <= 0xFFFF) {
        before[-4] = 0x81;
        before[-3] = 126;
        before[-2] = (uint8_t)(payload >> 8);
        before[-1] = (uint8_t)payload;
        return 4;
    }
    before[-10] = 0x81;
    before[-9] = 127;
    for (int i = 8; i >= 1; i--) {
        before[-i] = (uint8_t)(payload >> (8 * (i - 1)));
    }
    return 10;
}

void frame_begin(struct gate *g, struct writer *w)
{
    writer_init(w, g->scratch + FRAME_HEAD_MAX, GATE_FRAME_OUT_MAX - FRAME_HEAD_MAX);
}

static struct span frame_end(struct gate *g, struct writer *w)
{
    if (w->full) return span_of(NULL, 0);
    size_t payload = writer_size(w);
    uint8_t *begin = g->scratch + FRAME_HEAD_MAX;
    size_t head = frame_header(begin, payload);
    return span_of(begin - head, head + payload);
}

void send_frame(struct gate *g, uint32_t conn, struct writer *w)
{
    struct span frame = frame_end(g, w);
    must(frame.size > 0); /* its parts are bounded: names by the protocol, data by an event's size */
    conn_send(g, conn, frame);
}

void write_head(struct writer *w, const char *type, struct span id)
{
    write_text(w, "{\"type\":\"");
    write_text(w, type);
    write_text(w, "\"");
    if (id.size == 0) return;
    write_text(w, ",\"id\":");
    write_span(w, id);
}

static void write_hex(struct writer *w, uint64_t number)
{
    char digits[16];
    for (int i = 15; i >= 0; i--) {
        digits[i] = "0123456789abcdef"[number & 15];
        number >>= 4;
    }
    write_bytes(w, digits, sizeof digits);
}

void send_hello(struct gate *g, uint32_t conn)
{
    struct writer w;
    frame_begin(g, &w);
    write_text(&w, "{\"type\":\"hello\",\"connection\":\"");
    write_hex(&w, conn_at(g, conn)->id);
    write_text(&w, "\",\"lease_ms\":");
    write_uint(&w, g->config.limits.lease_ms);
    write_text(&w, ",\"server\":");
    write_string(&w, span_text(g->config.server));
    write_text(&w, ",\"max_frame\":");
    write_uint(&w, g->config.limits.frame_bytes_max);
    write_text(&w, "}");
    send_frame(g, conn, &w);
}

static void send_word(struct gate *g, uint32_t conn, const char *word, struct span id)
{
    struct writer w;
    frame_begin(g, &w);
    write_head(&w, word, id);
    write_text(&w, "}");
    send_frame(g, conn, &w);
}

void send_ok(struct gate *g, uint32_t conn, struct span id)
{
    send_word(g, conn, "ok", id);
}

void send_pong(struct gate *g, uint32_t conn, struct span id)
{
    send_word(g, conn, "pong", id);
}

static void write_error(struct gate *g, struct writer *w, struct span id, uint32_t code, struct span message)
{
    g->stats.errors[code < CODE_COUNT ? code : CODE_INTERNAL]++;
    write_head(w, "error", id);
    write_text(w, ",\"code\":\"");
    write_text(w, error_code_word(code < CODE_COUNT ? code : CODE_INTERNAL));
    write_text(w, "\",\"message\":");
    write_string(w, message.size > 0 ? message : span_text(error_code_word(code < CODE_COUNT ? code : CODE_INTERNAL)));
}

void send_error(struct gate *g, uint32_t conn, struct span id, uint32_t code, struct span message, uint32_t retry_ms)
{
    struct writer w;
    frame_begin(g, &w);
    write_error(g, &w, id, code, message);
    if (retry_ms > 0) {
        write_text(&w, ",\"retry_ms\":");
        write_uint(&w, retry_ms);
    }
    write_text(&w, "}");
    send_frame(g, conn, &w);
}

static void begin_topic_error(struct gate *g, struct writer *w, struct span id, struct span topic, uint32_t code, struct span message)
{
    frame_begin(g, w);
    write_error(g, w, id, code, message);
    write_text(w, ",\"topic\":");
    write_string(w, topic);
}

void send_sub_ended(struct gate *g, uint32_t sub, struct span id, uint32_t code, struct span message, uint64_t cursor)
{
    const struct sub *s = sub_at(g, sub);
    struct writer w;
    begin_topic_error(g, &w, id, sub_filter(g, s), code, message);
    write_text(&w, ",\"ended\":true");
    if (cursor > 0 && g->epoch_size > 0) {
        write_text(&w, ",\"cursor\":\"");
        write_event_id(&w, epoch_of(g), cursor);
        write_text(&w, "\"");
    }
    write_text(&w, "}");
    send_frame(g, s->conn, &w);
}

void send_sub_gap(struct gate *g, uint32_t conn, struct span topic)
{
    struct writer w;
    begin_topic_error(g, &w, span_of(NULL, 0), topic, CODE_GONE, span_text("events were missed: they have left the window"));
    write_text(&w, ",\"ended\":false}");
    send_frame(g, conn, &w);
}

/* Goes before all that waits: behind it, it would come when it is no news any more. */
void send_pressure(struct gate *g, uint32_t conn, bool slow, uint64_t queued)
{
    struct conn *c = conn_at(g, conn);
    uint64_t level = queued * 100 / g->config.limits.queue_bytes;
    if (level > 100) level = 100;
    struct writer w;
    frame_begin(g, &w);
    write_text(&w, slow ? "{\"type\":\"slow_down\",\"scope\":\"connection\",\"level\":"
                        : "{\"type\":\"speed_up\",\"scope\":\"connection\",\"level\":");
    write_hundredths(&w, (uint32_t)level);
    if (slow) {
        write_text(&w, ",\"retry_ms\":");
        write_uint(&w, SLOW_RETRY_MS);
    }
    write_text(&w, "}");
    struct span frame = frame_end(g, &w);
    if (!outbox_copy_first(&g->boxes, &c->box, frame)) return; /* advice, which may be left out when memory is short */
    g->stats.frames_out++;
    g->stats.bytes_out += frame.size;
    conn_touch(g, conn);
}

/* From where all subscriptions of the connection could go on without leaving anything out. */
static bool resume_cursor(const struct gate *g, const struct conn *c, uint64_t *out_seq)
{
    bool any = false;
    for (uint32_t sub = c->subs; sub != 0; sub = sub_at(g, sub)->next_of_conn) {
        uint64_t last = sub_at(g, sub)->last;
        if (!any || last < *out_seq) *out_seq = last;
        any = true;
    }
    return any && g->epoch_size > 0;
}

static void send_drain(struct gate *g, uint32_t conn, uint32_t reconnect_ms)
{
    struct conn *c = conn_at(g, conn);
    uint64_t of_conn = c->id;
    struct writer w;
    frame_begin(g, &w);
    write_text(&w, "{\"type\":\"drain\",\"reconnect_ms\":");
    write_uint(&w, reconnect_ms == 0 ? 0 : map_hash(g->config.secret, &of_conn, sizeof of_conn) % reconnect_ms);
    uint64_t seq = 0;
    if (resume_cursor(g, c, &seq)) {
        write_text(&w, ",\"resume\":\"");
        write_event_id(&w, epoch_of(g), seq);
        write_text(&w, "\"");
    }
    write_text(&w, "}");
    send_frame(g, conn, &w);
}

void gate_drain(struct gate *g, uint32_t reconnect_ms)
{
    g->draining = true;
    for (uint32_t conn = 1; conn <= g->conns.touched; conn++) {
        if (slab_is_taken(&g->conns, conn)) send_drain(g, conn, reconnect_ms);
    }
}

void gate_drain_end(struct gate *g)
{
    for (uint32_t conn = 1; conn <= g->conns.touched; conn++) {
        if (slab_is_taken(&g->conns, conn)) conn_end(g, conn, 1001, "draining");
    }
}
