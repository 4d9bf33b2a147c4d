#include "tests/support/lone_core.h"

#include <stdio.h>
#include <sys/mman.h>

#include "proto/event.h"
#include "sdk/base/must.h"

enum { WORKER = 1, PUBLISHER = 2 };

static void step(struct lone_core *l, uint32_t connection, const struct packet *packet)
{
    struct core_packet one = { .connection = connection, .grant = { .roles = ~0u, .any_tenant = true }, .packet = packet };
    struct core_outs outs;
    l->in.now_ns += 1000;
    l->in.packets = &one;
    l->in.packet_count = packet != NULL;
    l->in.committed = l->submitted;
    core_step(l->core, &l->in, &outs);
    for (size_t i = 0; i < outs.count; i++) {
        const struct core_out *out = &outs.items[i];
        if (out->kind == CORE_SUBMIT) l->submitted = out->block->number;
        if (l->out) l->out(l, out);
        const struct msg_deliver *deliver = out->kind == CORE_SEND ? out->packet->deliver : NULL;
        for (size_t k = 0; deliver && k < deliver->count; k++)
            l->leases[l->held++] = deliver->lease[k];
    }
}

void lone_core_open(struct lone_core *l, const struct core_config *config, uint32_t credit)
{
    must(credit <= LONE_CREDIT_MAX);
    l->memory_size = core_memory(config);
    void *memory = mmap(NULL, l->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(memory != MAP_FAILED);
    l->core = core_init(memory, config);
    l->in.now_ns = l->in.log_time_ms = 1;
    l->credit = credit;
    core_start(l->core, 1, 1, "0123456789abcdef", 1, 1, 1, 0);
}

void lone_core_close(struct lone_core *l)
{
    munmap(l->core, l->memory_size);
}

static void greet(struct lone_core *l, uint32_t connection, const struct group_spec *group)
{
    uint8_t id[16] = { (uint8_t)connection };
    struct msg_hello m = { .protocol = 1,
                           .role = group ? ROLE_WORKER : ROLE_CLIENT,
                           .instance = span_of(id, 16),
                           .publisher = span_of(id, 16),
                           .first_unanswered = 1,
                           .has_group = group != NULL };
    if (group) m.group = *group;
    step(l, connection, &(struct packet){ .hello = &m });
    lone_core_rest(l);
}

void lone_core_greet_publisher(struct lone_core *l)
{
    greet(l, PUBLISHER, NULL);
}

void lone_core_greet_worker(struct lone_core *l, const struct group_spec *group)
{
    greet(l, WORKER, group);
    lone_core_ack(l);
}

void lone_core_rest(struct lone_core *l)
{
    step(l, 0, NULL);
}

void lone_core_publish(struct lone_core *l, uint32_t keys)
{
    static uint8_t body[LONE_BATCH * (LONE_DATA_BYTES + 64)], data[LONE_DATA_BYTES];
    uint32_t sizes[LONE_BATCH];
    size_t used = 0;
    for (uint32_t i = 0; i < LONE_BATCH; i++) {
        char key[16];
        l->random = l->random * 6364136223846793005u + 1442695040888963407u;
        int size = snprintf(key, sizeof key, "key-%u", (unsigned)((l->random >> 33) % keys));
        struct event event = { .topic = span_text("docs.a"), .key = span_of(key, (size_t)size), .data = span_of(data, sizeof data) };
        sizes[i] = (uint32_t)event_encode(&event, NULL, 0, body + used);
        used += sizes[i];
    }
    struct msg_publish m = { .first_number = l->published + 1, .size = sizes, .count = LONE_BATCH };
    l->published += LONE_BATCH;
    step(l, PUBLISHER, &(struct packet){ .publishes = &m, .publish_count = 1, .body = span_of(body, used) });
}

void lone_core_ack(struct lone_core *l)
{
    static uint32_t verbs[2 * LONE_CREDIT_MAX];
    for (uint32_t i = 0; i < l->held; i++)
        verbs[i] = VERB_ACK;
    l->credit += l->held;
    struct msg_settle settle = { .first_number = l->settles + 1, .lease = l->leases, .verb = verbs, .count = l->held };
    struct msg_credit credit = { .kind = CREDIT_DELIVER, .events = l->credit, .bytes = UINT64_C(1) << 40 };
    struct packet packet = { .credits = &credit, .credit_count = 1, .settle = l->held ? &settle : NULL };
    l->settles += l->held;
    l->acked += l->held;
    l->held = 0;
    step(l, WORKER, &packet);
}
