/* What the pump does for a worker: it copies the deliveries of a packet into chunks before it takes the lock, queues them for the handlers,
 * and tells the answers of settles. */
#include <stdlib.h>
#include <unistd.h>

#include "sdk/src/worker.h"

/* -- chunks: a copy of the packet's events, each with a byte behind it for the NUL that weir_delivery_event writes -- */

static struct chunk *add_chunk(weir_worker *w, size_t bytes)
{
    struct chunk *chunk;
    if (w->chunk_count == w->chunk_room) {
        size_t room = w->chunk_room != 0 ? w->chunk_room * 2 : 16;
        struct chunk **grown = realloc(w->chunks, room * sizeof *grown);
        if (grown == NULL) return NULL;
        w->chunks = grown;
        w->chunk_room = room;
    }
    chunk = malloc(sizeof *chunk + bytes);
    if (chunk == NULL) return NULL;
    chunk->users = 0;
    chunk->used = 0;
    w->chunks[w->chunk_count++] = chunk;
    return chunk;
}

static size_t fill_chunk(struct chunk *chunk, size_t room, const uint32_t *sizes, size_t count, const uint8_t **body)
{
    size_t i = 0;
    for (; i < count && chunk->used + sizes[i] + 1 <= room; i++) {
        if (sizes[i] != 0) memcpy(chunk->bytes + chunk->used, *body, sizes[i]);
        *body += sizes[i];
        chunk->used += sizes[i] + 1;
    }
    return i;
}

static size_t room_for(const uint32_t *sizes, size_t count)
{
    size_t bytes = sizes[0] + (size_t)1;
    for (size_t i = 1; i < count && bytes + sizes[i] + 1 <= CHUNK_BYTES; i++)
        bytes += sizes[i] + 1;
    return bytes;
}

/* The deliveries stand in the body behind publishes (none come from a coordinator) and the events of subscriptions (a worker has none). */
static void prepare(struct session *session, const struct packet *packet)
{
    weir_worker *w = (weir_worker *)session;
    const struct msg_deliver *d = packet->deliver;
    const uint8_t *body = packet->body.data;
    w->chunk_count = w->chunk_at = w->chunk_offset = 0;
    if (d == NULL || packet->events_count != 0 || packet->publish_count != 0) return;
    for (size_t i = 0; i < d->count;) {
        size_t room = room_for(d->size + i, d->count - i);
        struct chunk *chunk = add_chunk(w, room);
        if (chunk == NULL) return; /* what was not copied is given back */
        i += fill_chunk(chunk, room, d->size + i, d->count - i, &body);
    }
}

static void release_unused_chunks(weir_worker *w)
{
    for (size_t i = 0; i < w->chunk_count; i++)
        if (w->chunks[i]->users == 0) free(w->chunks[i]);
    w->chunk_count = 0;
}

/* -- the ready queue -- */

static void set_fd(weir_worker *w, bool set)
{
    uint64_t count = 1;
    if (set == w->fd_is_set) return;
    w->fd_is_set = set;
    if (set)
        (void)!write(w->ready_fd, &count, sizeof count);
    else
        (void)!read(w->ready_fd, &count, sizeof count);
}

void worker_show_ready(weir_worker *w)
{
    if (w->ready_fd >= 0) set_fd(w, w->first != NULL || w->stopped || w->session.stopped_by != WEIR_OK);
}

static void queue(weir_worker *w, struct weir_delivery *d)
{
    d->next = NULL;
    *(w->last != NULL ? &w->last->next : &w->first) = d;
    w->last = d;
    w->ready_count++;
}

static void wake_handlers(weir_worker *w, size_t count)
{
    worker_show_ready(w);
    if (w->ready_waiters == 0) return;
    if (count == 1)
        (void)pthread_cond_signal(&w->ready);
    else
        (void)pthread_cond_broadcast(&w->ready);
}

static void take_delivery(weir_worker *w, const struct link_fact *fact, size_t i, struct chunk *chunk, uint8_t *bytes, uint32_t size)
{
    const struct msg_deliver *c = fact->deliveries.columns;
    struct weir_delivery *d = &w->deliveries[fact->deliveries.handles[i]];
    d->worker = w;
    d->handle = fact->deliveries.handles[i];
    d->seq = c->seq[i];
    d->time_ms = c->time_ms[i];
    d->cause = c->cause != NULL ? c->cause[i] : 0;
    d->id_seq = c->first != NULL && c->first[i] != 0 ? c->first[i] : d->seq;
    d->attempt = c->attempt[i];
    d->size = size;
    d->lease_ms = w->group_lease_ms;
    d->chunk = chunk;
    d->bytes = bytes;
    atomic_store_explicit(&d->cancelled, false, memory_order_relaxed);
    chunk->users++;
    queue(w, d);
}

/* The copy of the fact's i-th delivery; NULL: there was no memory. */
static uint8_t *next_copy(weir_worker *w, const struct link_fact *fact, size_t i, struct chunk **out_chunk)
{
    if (w->chunk_at < w->chunk_count && w->chunk_offset == w->chunks[w->chunk_at]->used) {
        w->chunk_at++;
        w->chunk_offset = 0;
    }
    if (w->chunk_at >= w->chunk_count) return NULL;
    *out_chunk = w->chunks[w->chunk_at];
    uint8_t *bytes = (*out_chunk)->bytes + w->chunk_offset;
    w->chunk_offset += fact->deliveries.columns->size[i] + (size_t)1;
    return bytes;
}

/* A large event was put together by the link: it has a chunk of its own. */
static uint8_t *copy_whole(const weir_worker *w, struct span whole, struct chunk **out_chunk)
{
    struct chunk *chunk = malloc(sizeof *chunk + whole.size + 1);
    if (chunk == NULL) return NULL;
    memcpy(chunk->bytes, whole.data, whole.size);
    memcpy(chunk->epoch, link_terms(w->session.link)->epoch, EPOCH_BYTES);
    chunk->replay = link_terms(w->session.link)->replay;
    chunk->users = 0;
    *out_chunk = chunk;
    return chunk->bytes;
}

/* A delivery that could not be copied (no memory) is given back after the packet. */
static void take_deliveries(weir_worker *w, const struct link_fact *fact)
{
    const struct link_terms *terms = link_terms(w->session.link);
    size_t count = fact->deliveries.columns->count;
    struct span whole = fact->deliveries.whole;
    w->group_lease_ms = terms->lease_ms;
    for (size_t i = 0; i < w->chunk_count; i++) {
        memcpy(w->chunks[i]->epoch, terms->epoch, EPOCH_BYTES);
        w->chunks[i]->replay = terms->replay;
    }
    for (size_t i = 0; i < count; i++) {
        struct chunk *chunk = NULL;
        uint8_t *bytes = next_copy(w, fact, i, &chunk);
        size_t size = whole.size != 0 ? whole.size : fact->deliveries.columns->size[i];
        if (whole.size != 0) bytes = copy_whole(w, whole, &chunk);
        if (bytes == NULL)
            w->not_copied[w->not_copied_count++] = fact->deliveries.handles[i];
        else
            take_delivery(w, fact, i, chunk, bytes, (uint32_t)size);
    }
    wake_handlers(w, count);
}

void worker_drop_event(struct weir_delivery *d)
{
    if (d->chunk != NULL && --d->chunk->users == 0) free(d->chunk);
    d->chunk = NULL;
    d->bytes = NULL;
    free(d->headers);
    d->headers = NULL;
    d->view_state = VIEW_NONE;
}

void delivery_forget(struct weir_delivery *d)
{
    worker_drop_event(d);
    free(d->token);
    free(d->reason);
    free(d->emits);
    free(d->emit_sizes);
    d->token = d->reason = NULL;
    d->emits = NULL;
    d->emit_sizes = NULL;
    d->emit_room = 0;
    delivery_forget_emits(d);
    d->user = NULL;
    d->is_request = false;
    d->event_id[0] = '\0';
}

/* -- answers -- */

void worker_tell_settled(weir_worker *w, const struct weir_delivery *d, weir_status status)
{
    if (w->on_settled == NULL) return;
    if (w->settled_count == w->settled_room) {
        size_t room = w->settled_room != 0 ? w->settled_room * 2 : 256;
        weir_settled *grown = realloc(w->settled, room * sizeof *grown);
        if (grown == NULL) return;
        w->settled = grown;
        w->settled_room = room;
    }
    w->settled[w->settled_count++] = (weir_settled){ .status = status, .seq = d->seq, .attempt = d->attempt, .user = d->user };
}

static void fact(struct session *session, const struct link_fact *f)
{
    weir_worker *w = (weir_worker *)session;
    struct weir_delivery *d;
    switch (f->kind) {
    case LINK_FACT_DELIVERIES:
        take_deliveries(w, f);
        break;
    case LINK_FACT_SETTLED:
        d = &w->deliveries[f->lease.handle];
        worker_tell_settled(w, d, f->lease.code == CODE_GONE ? WEIR_OUTCOME_UNKNOWN : (weir_status)f->lease.code);
        delivery_forget(d);
        break;
    case LINK_FACT_REVOKED:
    case LINK_FACT_CANCELLED:
        atomic_store_explicit(&w->deliveries[f->lease.handle].cancelled, true, memory_order_relaxed);
        w->revoked_unseen += f->kind == LINK_FACT_REVOKED;
        break;
    case LINK_FACT_STATE:
        if (f->state.state == LINK_STOPPED) {
            (void)pthread_cond_broadcast(&w->ready);
            worker_show_ready(w);
        }
        break;
    default:
        break;
    }
}

/* -- between packets -- */

/* Takes revoked deliveries out of the queue, so that their slots and bytes are free. */
static void sweep_revoked(weir_worker *w)
{
    struct weir_delivery *d = w->first;
    w->first = w->last = NULL;
    w->ready_count = 0;
    w->revoked_unseen = 0;
    while (d != NULL) {
        struct weir_delivery *next = d->next;
        if (w->stopped || link_has_ended(w->session.link, d->handle)) {
            delivery_forget(d);
            (void)link_release(w->session.link, d->handle);
        } else {
            queue(w, d);
        }
        d = next;
    }
}

static void settle(struct session *session)
{
    weir_worker *w = (weir_worker *)session;
    release_unused_chunks(w);
    while (w->not_copied_count != 0)
        (void)link_release(session->link, w->not_copied[--w->not_copied_count]);
    if (atomic_load_explicit(&w->stop_asked, memory_order_relaxed) && !w->stopped) {
        w->stopped = true;
        link_no_more(session->link);
        (void)pthread_cond_broadcast(&w->ready);
    }
    if (w->revoked_unseen != 0 || (w->stopped && w->first != NULL)) sweep_revoked(w);
    worker_show_ready(w);
    if (session->waiters != 0) (void)pthread_cond_broadcast(&session->changed);
}

static void callbacks(struct session *session)
{
    weir_worker *w = (weir_worker *)session;
    weir_settled *settled;
    size_t count;
    (void)pthread_mutex_lock(&session->lock);
    settled = w->settled;
    count = w->settled_count;
    w->settled = NULL;
    w->settled_count = w->settled_room = 0;
    w->telling = count != 0;
    (void)pthread_mutex_unlock(&session->lock);
    if (count == 0) return;
    for (size_t i = 0; i < count; i++)
        w->on_settled(&settled[i], session->arg);
    free(settled);
    (void)pthread_mutex_lock(&session->lock);
    w->telling = false;
    if (session->waiters != 0) (void)pthread_cond_broadcast(&session->changed);
    (void)pthread_mutex_unlock(&session->lock);
}

const struct session_hooks worker_hooks = { prepare, fact, settle, callbacks };
