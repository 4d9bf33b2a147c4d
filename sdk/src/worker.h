/* Inside the worker. A delivery lives at the index of its link handle, from the packet that brings it to the answer of its settle. */
#ifndef WEIR_SDK_WORKER_H
#define WEIR_SDK_WORKER_H

#include <stdatomic.h>

#include "sdk/src/session.h"

/* Bytes of some deliveries of one packet: freed with the last of them. Counted under the lock. */
struct chunk {
    uint32_t users;
    size_t used;
    char epoch[EPOCH_BYTES];
    bool replay;
    uint8_t bytes[];
};
enum { CHUNK_BYTES = 64 << 10, EMITS_PER_SETTLE = 256, EMIT_BYTES_PER_SETTLE = 256 << 10 /* what a packet holds */ };

enum view_state { VIEW_NONE, VIEW_GOOD, VIEW_BAD };

struct weir_delivery {
    weir_worker *worker;
    struct chunk *chunk;
    uint8_t *bytes; /* one more than size, for the last NUL */
    uint64_t seq, time_ms, cause, id_seq /* what the event's id is made of */;
    uint32_t handle, size, attempt, lease_ms;
    struct weir_delivery *next; /* in the ready queue */
    void *user;
    atomic_bool cancelled; /* or revoked */
    uint8_t view_state;
    bool is_request;
    weir_event view;
    weir_header *headers;
    char *token, *reason;
    uint8_t *emits;
    uint32_t *emit_sizes;
    size_t emit_bytes, emit_wire, emit_room; /* wire: without the data of large ones */
    uint32_t emit_count, emits_large;
    char event_id[WEIR_EVENT_ID_SIZE];
};

struct weir_worker {
    struct session session; /* first: weir_last_error takes any handle */
    char group[256];
    struct weir_delivery *deliveries;   /* [handles + 1] */
    struct weir_delivery *first, *last; /* waiting for a handler */
    uint32_t slots, ready_count, ready_waiters, revoked_unseen;
    uint32_t *not_copied, not_copied_count; /* handles to give back: there was no memory for their bytes */
    pthread_cond_t ready;
    int ready_fd;
    bool fd_is_set, stopped, running;
    atomic_bool stop_asked;
    uint32_t handlers, close_timeout_ms, group_lease_ms;
    weir_settled_fn *on_settled;
    weir_settled *settled; /* for the user, told by the pump */
    size_t settled_count, settled_room;
    bool telling; /* on_settled is being called */
    /* the pump's own: the packet being taken */
    struct chunk **chunks;
    size_t chunk_count, chunk_room;
    size_t chunk_at, chunk_offset; /* where the next of its deliveries lies */
};

extern const struct session_hooks worker_hooks;

/* Under the lock. worker_drop_event frees what is only needed until the settle, delivery_forget all of it. */
void worker_drop_event(struct weir_delivery *delivery);
void worker_tell_settled(weir_worker *worker, const struct weir_delivery *delivery, weir_status status);
void worker_show_ready(weir_worker *worker); /* under the lock: the descriptor follows the queue */
void delivery_forget(struct weir_delivery *delivery);
void delivery_forget_emits(struct weir_delivery *delivery);

#endif
