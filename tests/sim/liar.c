/* A peer that lies: garbage, foreign and ended leases, the same settle twice, more than its credit, messages that are not a peer's. It
 * speaks the wire by hand. Whatever it says may hurt nobody else; what it really holds it may end, as any worker. */
#include <string.h>

#include "proto/codec.h"
#include "proto/event.h"
#include "tests/sim/sim.h"

enum { HELD_MAX = 64, LIES = 9 };

static void say(struct sim *sim, struct liar *liar, const struct packet *packet)
{
    wire_up(sim, liar->connection, packet);
}

static void greet(struct sim *sim, struct liar *liar)
{
    struct group_terms terms;
    struct msg_hello hello = {
        .protocol = 1, .role = ROLE_CLIENT, .tenant = span_text("dev"), .publisher = span_of(liar->id, 16), .first_unanswered = 1
    };
    liar->connection = wire_open(sim, NULL);
    liar->next_settle = liar->next_number = 1;
    liar->credit = 0;
    liar->held_count = 0;
    liar->id[1]++;
    hello.instance = span_of(liar->id, 16);
    uint32_t groups =
        knob(sim, KNOB_groups) < knob(sim, KNOB_workers) ? knob(sim, KNOB_groups) : knob(sim, KNOB_workers); /* with honest workers */
    group_terms(sim, random_below(&liar->random, groups), &terms);
    hello.has_group = chance(&liar->random, 70);
    if (hello.has_group) hello.role = ROLE_WORKER;
    hello.group = terms.hello;
    say(sim, liar, &(struct packet){ .hello = &hello });
}

static void hear(struct sim *sim, struct liar *liar)
{
    while (liar->connection->down.first && liar->connection->down.first->due_ns <= sim->now_ns) {
        struct message *message = wire_take(sim, &liar->connection->down);
        struct packet *packet;
        struct span head = span_of(message->bytes, message->head_size),
                    body = span_of(message->bytes + message->head_size, message->body_size);
        arena_reset(&sim->decode);
        if (codec_decode(&sim->decode, head, body, &packet) != CODEC_OK)
            sim_fail(sim, "packets_decode", "%s cannot read what it was sent", liar->name);
        for (size_t i = 0; packet->deliver && i < packet->deliver->count && liar->held_count < HELD_MAX; i++)
            liar->held[liar->held_count++] = packet->deliver->lease[i];
        wire_done(sim);
    }
}

/* One that it had, one that somebody has, or none at all. */
static uint64_t some_lease(struct sim *sim, struct liar *liar)
{
    uint32_t kind = random_below(&liar->random, 4);
    if (kind <= 1 && liar->held_count > 0) return liar->held[random_below(&liar->random, liar->held_count)];
    if (kind == 2 && sim->lease_count > 0) return sim->leases_seen[random_below(&liar->random, LEASES_SEEN)];
    uint32_t shift = random_below(&liar->random, 60);
    return random_next(&liar->random) >> shift;
}

static void settle(struct sim *sim, struct liar *liar)
{
    struct written emit;
    uint64_t lease = some_lease(sim, liar), leases[2] = { lease, lease };
    uint32_t verb = random_below(&liar->random, 5), verbs[2] = { verb, VERB_ACK }, emits[2] = { 0, 0 }, size;
    struct msg_settle m = {
        .first_number = liar->next_settle, .lease = leases, .verb = verbs, .count = 1 + random_below(&liar->random, 2)
    };
    struct packet packet = { .settle = &m };
    struct span piece;
    if (verb != VERB_NACK && chance(&liar->random, 50)) {
        char data[64];
        snprintf(data, sizeof data, "%s emit %u", liar->name, ++liar->written);
        event_write(sim, &liar->random, AUTHOR_LIAR, "out.x", data, 0, &emit);
        size = (uint32_t)emit.size;
        emits[0] = 1;
        m.emits = emits;
        m.emit_size = &size;
        m.emit_count = 1;
        piece = span_of(emit.bytes, emit.size);
        packet.pieces = &piece;
        packet.piece_count = 1;
    }
    liar->next_settle += m.count;
    say(sim, liar, &packet);
}

static void publish(struct sim *sim, struct liar *liar)
{
    struct written written;
    char data[64];
    uint64_t number = chance(&liar->random, 70) ? liar->next_number++ : random_below(&liar->random, 20);
    uint32_t size;
    snprintf(data, sizeof data, "%s lie %u", liar->name, ++liar->written);
    event_write(sim, &liar->random, AUTHOR_LIAR, chance(&liar->random, 50) ? "a.x" : "$sys.lie", data, 0, &written);
    oracle_foreign(sim->oracle, written.event);
    size = (uint32_t)written.size;
    if (chance(&liar->random, 10))
        written.bytes[random_below(&liar->random, size)] ^= 0x41; /* then nobody has written it; it must not get in as such */
    struct msg_publish m = { .first_number = number, .size = &size, .count = 1 };
    struct span piece = span_of(written.bytes, size);
    if (oracle_event_of(sim->oracle, written.bytes, size) == 0) {
        struct oracle_event changed = { .bytes = written.bytes, .size = size, .topic = "", .foreign = true };
        (void)oracle_writes(sim->oracle, &changed);
    }
    say(sim, liar, &(struct packet){ .publishes = &m, .publish_count = 1, .pieces = &piece, .piece_count = 1 });
}

static void garbage(struct sim *sim, struct liar *liar)
{
    uint8_t bytes[64] = { 0 };
    size_t size = random_below(&liar->random, sizeof bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(&liar->random);
    wire_up_bytes(sim, liar->connection, span_of(bytes, size), span_of(bytes, random_below(&liar->random, 8)));
}

static void claim_or_order(struct sim *sim, struct liar *liar)
{
    struct msg_welcome welcome = { .protocol = 1 };
    struct msg_credit credit = { .kind = random_below(&liar->random, 4), .events = UINT64_MAX, .bytes = UINT64_MAX };
    struct msg_subscribe subscribe = { .subscription = random_below(&liar->random, 3), .filter = span_text("$sys.>") };
    switch (random_below(&liar->random, 3)) {
    case 0:
        say(sim, liar, &(struct packet){ .welcome = &welcome });
        break;
    case 1:
        if (credit.kind != CREDIT_DELIVER) say(sim, liar, &(struct packet){ .credits = &credit, .credit_count = 1 });
        break;
    default:
        say(sim, liar, &(struct packet){ .subscribes = &subscribe, .subscribe_count = 1 });
        break;
    }
}

static void lie(struct sim *sim, struct liar *liar)
{
    uint64_t lease = some_lease(sim, liar);
    uint32_t ms = random_below(&liar->random, 100000);
    struct msg_extend extend = { &lease, &ms, 1 };
    struct msg_release release = { &lease, 1 };
    struct msg_credit credit = { .kind = CREDIT_DELIVER, .events = ++liar->credit, .bytes = 1 << 20 };
    switch (random_below(&liar->random, LIES)) {
    case 0:
        garbage(sim, liar);
        break;
    case 1:
    case 2:
        publish(sim, liar);
        break;
    case 3:
        claim_or_order(sim, liar);
        break;
    case 4:
        say(sim, liar, &(struct packet){ .extend = &extend });
        break;
    case 5:
        say(sim, liar, &(struct packet){ .release = &release });
        break;
    case 6:
        say(sim, liar, &(struct packet){ .credits = &credit, .credit_count = 1 });
        break;
    default:
        settle(sim, liar);
        break;
    }
}

void liars_init(struct sim *sim)
{
    sim->liar_count = knob(sim, KNOB_liars) < LIARS_MAX ? knob(sim, KNOB_liars) : LIARS_MAX;
    for (uint32_t i = 0; i < sim->liar_count; i++) {
        struct liar *liar = &sim->liars[i];
        liar->random = chance_of(sim->plan.seed, 200 + i);
        liar->id[0] = (uint8_t)(0xf0 + i);
        liar->next_ns = sim->now_ns + NS_PER_MS;
        snprintf(liar->name, sizeof liar->name, "x%u", i + 1);
    }
}

uint64_t liars_next_ns(const struct sim *sim)
{
    uint64_t next = NEVER;
    for (uint32_t i = 0; i < sim->liar_count; i++)
        if (sim->liars[i].next_ns < next) next = sim->liars[i].next_ns;
    return next;
}

void liars_run(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->liar_count; i++) {
        struct liar *liar = &sim->liars[i];
        if (liar->next_ns > sim->now_ns) continue;
        liar->next_ns = sim->now_ns + chance_between(&liar->random, 1, 300) * NS_PER_MS;
        bool over = liar->connection && (liar->connection->broken || sim->healing || chance(&liar->random, 1));
        if (over) {
            wire_leave(sim, liar->connection, &liar->random, true);
            liar->connection = NULL;
        }
        if (sim->healing) {
            liar->next_ns = NEVER;
            continue;
        }
        if (!liar->connection && sim->host.up) greet(sim, liar);
        if (!liar->connection) continue;
        hear(sim, liar);
        lie(sim, liar);
    }
}
