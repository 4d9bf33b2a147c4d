/* Deliveries, leases and settles: one worker at a time, nothing after the settle, attempts, times, credit [P1, P5, P10]. */
#include "tests/sim/oracle_parts.h"

#include <string.h>

enum { SLACK_MS = 2, BACKOFF_MAX_MS = 60000, EXTEND_MAX_MS = 3600 * 1000 };
#define NS_PER_MS UINT64_C(1000000)

uint32_t place_of(struct oracle *o, uint32_t group, uint64_t seq)
{
    uint32_t place = table_get(&o->by_place, pair_key(group, seq));
    if (place) return place;
    *list_add(o->places) = (struct place){ .group = group, .seq = seq, .life = o->groups.items[group].life };
    table_put(&o->by_place, pair_key(group, seq), o->places.count);
    return o->places.count;
}

static uint32_t lease_find(const struct oracle *o, uint32_t connection, uint64_t number)
{
    return table_get(&o->by_lease, pair_key(connection, number));
}

uint64_t oracle_lease_seq(const struct oracle *o, uint32_t connection, uint64_t number)
{
    uint32_t lease = lease_find(o, connection, number);
    return lease ? o->places.items[o->leases.items[lease].place].seq : 0;
}

/* -- ends -- */

/* Its worker is gone: others wait for it so long. */
static void await(struct lease *lease, uint64_t until_ns)
{
    lease->state = HOLDER_AWAITED;
    lease->until_ns = until_ns;
}

void leases_of_ended(struct oracle *o, uint32_t connection)
{
    for (uint32_t i = 1; i <= o->leases.count; i++) {
        struct lease *lease = &o->leases.items[i];
        if (lease->connection != connection || lease->state != HOLDER_LIVE) continue;
        if (lease->settle ||
            may_miss_it(o, o->places.items[lease->place].seq)) { /* its settle is under way, and the answer will not be heard */
            lease->state = HOLDER_OVER;
            continue;
        }
        uint64_t grace_ns = o->now_ns + o->grace_ns;
        await(lease, grace_ns < lease->deadline_ns ? grace_ns : lease->deadline_ns);
    }
}

/* What was not committed is forgotten; what was given out is awaited from the next start on. */
void leases_crash(struct oracle *o)
{
    for (uint32_t i = 1; i <= o->leases.count; i++) {
        struct lease *lease = &o->leases.items[i];
        struct place *place = &o->places.items[lease->place];
        const struct settle *settle = lease->settle ? &o->settles.items[lease->settle] : NULL;
        if (place->lease != i) continue;
        if (!settle || !settle->answered) place->not_before_ns = 0;
        place->pending = 0;
        bool once = may_miss_it(o, place->seq);
        if (!once && (lease->state == HOLDER_LIVE || (lease->state == HOLDER_AWAITED && o->now_ns < lease->until_ns)))
            await(lease, UINT64_MAX); /* oracle_starts says until when */
        else
            lease->state = HOLDER_OVER;
    }
}

/* -- hello and welcome -- */

static uint32_t group_named(const struct oracle *o, const char *name)
{
    for (uint32_t i = 1; name && i <= o->groups.count; i++)
        if (strcmp(o->groups.items[i].spec.name, name) == 0) return i;
    return 0;
}

/* What it holds, waits for it and has no settle under way: the welcome has to give it back [R-ADOPT-1]. */
static bool has_to_keep(const struct oracle *o, const struct lease *lease, const struct oracle_hello *hello, uint32_t attempt)
{
    uint32_t index = table_get(&o->by_connection, lease->connection);
    const struct place *place = &o->places.items[lease->place];
    if (lease->state != HOLDER_AWAITED || o->now_ns >= lease->until_ns || lease->settle || lease->attempt != attempt || lease->returned ||
        place->settled || place->maybe || place->twice || place->seq < o->window || lease->generation != hello->generation)
        return false;
    return memcmp(o->connections.items[index].instance, hello->instance, 16) == 0;
}

/* [R-HELLO-3] What an older connection of this instance still says is not heard any more. */
static void end_older(struct oracle *o, const uint8_t *instance)
{
    for (uint32_t i = 1; i <= o->connections.count; i++)
        if (o->connections.items[i].is_there && memcmp(o->connections.items[i].instance, instance, 16) == 0)
            oracle_ended(o, o->connections.items[i].number);
}

static bool names(const struct oracle_hello *hello, uint64_t seq, const struct lease *lease)
{
    for (size_t i = 0; i < hello->held_count && hello->generation == lease->generation; i++)
        if (hello->held_seq[i] == seq && hello->held_attempt[i] == lease->attempt) return true;
    return false;
}

/* [R-GONE-1] What an instance that has come back does not name need not wait for it; unless its hello is refused. */
static void give_back(struct oracle *o, const uint8_t *instance, const struct oracle_hello *hello)
{
    for (uint32_t i = 1; i <= o->leases.count; i++) {
        struct lease *lease = &o->leases.items[i];
        struct place *place = &o->places.items[lease->place];
        uint32_t index = table_get(&o->by_connection, lease->connection);
        if (lease->state != HOLDER_AWAITED || place->lease != i || names(hello, place->seq, lease)) continue;
        if (memcmp(o->connections.items[index].instance, instance, 16) != 0) continue;
        lease->until_ns = o->now_ns;
        place->handed_back = true;
    }
}

void oracle_took_hello(struct oracle *o, uint32_t connection, const struct oracle_hello *hello)
{
    if (table_get(&o->by_connection, connection)) return; /* a second hello changes nothing */
    end_older(o, hello->instance);
    *list_add(o->connections) =
        (struct connection){ .number = connection, .is_there = true, .honest = hello->honest, .group = group_named(o, hello->group) };
    table_put(&o->by_connection, connection, o->connections.count);
    struct connection *c = &o->connections.items[o->connections.count];
    memcpy(c->instance, hello->instance, 16);
    c->held_generation = hello->generation;
    if (hello->publisher) {
        uint64_t key = oracle_hash(hello->publisher, 16);
        c->publisher = table_get(&o->publishers, key);
        if (!c->publisher) table_put(&o->publishers, key, c->publisher = (uint32_t)o->publishers.count + 1);
    }
    if (c->group) give_back(o, c->instance, hello);
    for (size_t i = 0; c->honest && c->group && i < hello->held_count; i++) {
        uint32_t place = table_get(&o->by_place, pair_key(c->group, hello->held_seq[i]));
        uint32_t lease = place ? o->places.items[place].lease : 0;
        if (lease && has_to_keep(o, &o->leases.items[lease], hello, hello->held_attempt[i]))
            *list_add(o->must_keep) = (struct due_back){ place, connection };
    }
}

/* Given and taken back in one turn: its group was moved in between. */
static bool is_revoked(const struct oracle *o, uint32_t group, uint32_t connection, uint64_t number)
{
    for (uint32_t i = 1; i <= o->revoked.count && o->groups.items[group].moved_turn == o->turn; i++)
        if (o->revoked.items[i] == pair_key(connection, number)) return true;
    return false;
}

static uint32_t lease_new(struct oracle *o, uint32_t connection, uint32_t place, uint64_t number, uint32_t attempt, uint32_t lease_ms)
{
    uint32_t before = lease_find(o, connection, number);
    if (before && !o->leases.items[before].returned)
        broken(o, "leases_are_unique", "lease %llx was given twice on connection %u", U(number), connection);
    *list_add(o->leases) =
        (struct lease){ .number = number,
                        .connection = connection,
                        .place = place,
                        .attempt = attempt,
                        .life = o->places.items[place].life,
                        .generation = connection_of(o, connection)->generation,
                        .state = is_revoked(o, o->places.items[place].group, connection, number) ? HOLDER_OVER : HOLDER_LIVE,
                        .deadline_ns = o->now_ns + lease_ms * NS_PER_MS };
    table_put(&o->by_lease, pair_key(connection, number), o->leases.count);
    o->places.items[place].lease = o->leases.count;
    o->places.items[place].starts = o->starts;
    return o->leases.count;
}

static void keep(struct oracle *o, struct connection *c, uint32_t connection, const struct oracle_kept *kept, size_t i, uint32_t lease_ms)
{
    if (o->groups.items[c->group].moved_turn == o->turn) { /* the hello came first: its leases are revoked with the welcome */
        credit_is_used(o, c);
        return;
    }
    uint32_t place = table_get(&o->by_place, pair_key(c->group, kept->seq[i]));
    if (!place) broken(o, "keeps_what_was_given", "seq %llu is kept, but was never given out", U(kept->seq[i]));
    struct place *p = &o->places.items[place];
    struct lease *before = &o->leases.items[p->lease];
    bool once = may_miss_it(o, p->seq), restarted = p->starts != o->starts; /* of one that goes out once the end stands nowhere */
    if (p->settled && !(once && restarted)) broken(o, "offered_after_settled", "seq %llu is kept after its settle was answered", U(p->seq));
    if (kept->attempt[i] != p->attempt && !p->unsure)
        broken(o, "keeps_the_attempt", "seq %llu is kept as attempt %u, attempt %u was given last", U(p->seq), kept->attempt[i],
               p->attempt);
    if (before->generation && before->generation != c->held_generation)
        broken(o, "keeps_of_its_generation", "seq %llu is kept, of generation %llu, for one that got it in %llu", U(p->seq),
               U(before->generation), U(c->held_generation));
    if (before->state == HOLDER_LIVE && connection_of(o, before->connection) &&
        memcmp(connection_of(o, before->connection)->instance, c->instance, 16) != 0)
        broken(o, "one_worker_at_a_time", "seq %llu is kept for one while another has it", U(p->seq));
    if (once && !restarted && !before->kept)
        broken(o, "at_most_once", "seq %llu is kept, though the end of its connection has ended it", U(p->seq));
    before->state = HOLDER_OVER;
    for (uint32_t k = 1; k <= o->must_keep.count; k++)
        if (o->must_keep.items[k].place == place && o->must_keep.items[k].connection == connection)
            o->must_keep.items[k] = o->must_keep.items[o->must_keep.count--];
    uint32_t lease = lease_new(o, connection, place, kept->lease[i], kept->attempt[i], lease_ms);
    o->leases.items[lease].kept = true;
    if (once) p->settled = 0;
    p->attempt = kept->attempt[i];
    p->unsure = false;
    credit_is_used(o, c);
    o->counts.kept++;
}

void oracle_told_welcome(struct oracle *o, uint32_t connection, uint32_t lease_ms, uint64_t generation, const struct oracle_kept *kept)
{
    struct connection *c = connection_of(o, connection);
    if (!c) return;
    c->welcomed = true;
    c->generation = generation;
    for (size_t i = 0; i < kept->count; i++)
        keep(o, c, connection, kept, i, lease_ms);
    for (uint32_t k = 1; k <= o->must_keep.count; k++) {
        const struct place *p = &o->places.items[o->must_keep.items[k].place];
        if (o->must_keep.items[k].connection == connection)
            broken(o, "living_workers_keep_their_work", "seq %llu was not kept for the worker that holds it", U(p->seq));
    }
    if (c->group && !o->groups.items[c->group].exists) {
        o->groups.items[c->group].exists = true;
        o->groups.items[c->group].begins = o->window;
        o->groups.items[c->group].born_turn = o->turn;
        *list_add(o->born) = c->group;
    }
}

/* -- deliveries -- */

/* Who had it must have lost it, in a way that both ends can know. */
static void check_holder(struct oracle *o, const struct place *p)
{
    const struct lease *before = &o->leases.items[p->lease];
    if (!p->lease) return;
    if (p->twice && (before->kept || p->unsure)) return; /* the core may know nothing of it */
    if (before->state == HOLDER_LIVE)
        broken(o, "one_worker_at_a_time", "seq %llu goes out while connection %u has it until %llu ms later", U(p->seq), before->connection,
               U((before->deadline_ns - o->now_ns) / NS_PER_MS));
    if (before->state == HOLDER_AWAITED && o->now_ns < before->until_ns)
        broken(o, "waits_for_its_worker", "seq %llu goes out %llu ms before the grace of its worker is over", U(p->seq),
               U((before->until_ns - o->now_ns) / NS_PER_MS));
    if (o->now_ns < p->not_before_ns)
        broken(o, "back_off", "seq %llu goes out %llu ms too early", U(p->seq), U((p->not_before_ns - o->now_ns) / NS_PER_MS));
}

static void check_attempt(struct oracle *o, const struct place *p, uint32_t attempt)
{
    uint32_t restarts = o->starts - p->starts;
    if (p->twice) return; /* how often it had failed may have been lost with the power */
    bool again = attempt == p->attempt && !p->same_attempt && !p->handed_back;
    if (attempt == 0 || (p->attempt && attempt < p->attempt) || again)
        broken(o, "attempts_rise", "seq %llu goes out as attempt %u after attempt %u", U(p->seq), attempt, p->attempt);
    if (p->same_attempt && restarts == 0 && attempt != p->attempt)
        broken(o, "unstarted_counts_no_attempt", "seq %llu was given back unstarted and goes out as attempt %u", U(p->seq), attempt);
    if (!p->unsure && attempt > p->attempt + 1 + (p->attempt ? restarts : o->starts - 1))
        broken(o, "attempts_count_failures", "seq %llu goes out as attempt %u after attempt %u", U(p->seq), attempt, p->attempt);
}

void oracle_told_delivery(struct oracle *o, uint32_t connection, const struct oracle_delivery *d)
{
    struct connection *c = connection_of(o, connection);
    if (!c) return;
    if (d->generation) c->generation = d->generation;
    uint32_t event = oracle_event_of(o, d->bytes, d->size);
    if (!event) broken(o, "nothing_from_nowhere", "seq %llu was delivered, but nobody wrote it", U(d->seq));
    struct known *known = &o->events.items[event];
    bool letter = is_letter(o, c->group, known, d);
    struct oracle_shown shown = { .seq = d->seq, .first = d->first, .time_ms = d->time_ms, .bytes = d->bytes, .size = d->size };
    if (!letter) event_is_shown(o, event, &shown);
    if (!known->once) known->shown = true; /* else it goes out before its commit */
    if (!c->group || !c->welcomed) broken(o, "only_to_workers", "seq %llu was delivered to connection %u", U(d->seq), connection);
    if (!group_wants(&o->groups.items[c->group], known->topic) && !is_of_no_topic(known))
        broken(o, "only_what_matches", "seq %llu on %s was delivered to %s", U(d->seq), known->topic, o->groups.items[c->group].spec.name);
    if (!letter && ((known->ttl_ms && o->log_ms >= d->time_ms + known->ttl_ms) || (known->deadline_ms && o->log_ms >= known->deadline_ms)))
        broken(o, "expired_is_not_offered", "seq %llu was delivered after its time", U(d->seq));
    if (c->delivered >= c->credit)
        broken(o, "credit_of_deliveries", "connection %u has credit for %llu events and was sent more", connection, U(c->credit));
    uint32_t place = place_of(o, c->group, d->seq);
    struct place *p = &o->places.items[place];
    if (p->settled) broken(o, "offered_after_settled", "seq %llu was delivered after its settle was answered", U(d->seq));
    if (p->pending) broken(o, "offered_after_settled", "seq %llu was delivered after its settle was taken", U(d->seq));
    if (letter)
        letter_goes_out(o, p, known, d);
    else
        check_moved(o, p);
    if (d->priority != known->priority)
        broken(o, "says_its_priority", "seq %llu of priority %u is said to have %u", U(d->seq), known->priority, d->priority);
    check_once(o, known, p);
    if (!letter) check_level(o, known, p);
    check_holder(o, p);
    check_attempt(o, p, d->attempt);
    check_key_order(o, p);
    if (p->lease) o->leases.items[p->lease].state = HOLDER_OVER;
    lease_new(o, connection, place, d->lease, d->attempt, d->lease_ms);
    check_limits(o, p);
    session_goes(o, known, p, connection, letter ? 2 : d->attempt); /* as what has failed, it takes the session along */
    p->attempt = d->attempt;
    p->same_attempt = p->handed_back = p->unsure = false;
    p->not_before_ns = 0;
    credit_is_used(o, c);
    o->counts.deliveries++;
    o->counts.redeliveries += d->attempt > 1;
}

void oracle_told_revoked(struct oracle *o, uint32_t connection, uint64_t number, bool timeout)
{
    uint32_t index = lease_find(o, connection, number);
    if (!index) *list_add(o->revoked) = pair_key(connection, number);
    if (!index || o->leases.items[index].state != HOLDER_LIVE || o->leases.items[index].settle) return;
    struct lease *lease = &o->leases.items[index];
    struct place *p = &o->places.items[lease->place];
    if (!timeout && lease->kept && p->twice) { /* what goes before it of its key is open again */
        lease->state = HOLDER_OVER;
        return;
    }
    if (!timeout) broken(o, "living_lease_is_honoured", "lease %llx on seq %llu is called stale while it lives", U(number), U(p->seq));
    if (o->now_ns < lease->deadline_ns)
        broken(o, "leases_last", "seq %llu was taken away %llu ms before the end of its lease", U(p->seq),
               U((lease->deadline_ns - o->now_ns) / NS_PER_MS));
    lease->state = HOLDER_OVER;
    uint64_t wait_ms = o->groups.items[p->group].spec.backoff_ms;
    for (uint32_t i = 1; i < p->attempt && wait_ms < BACKOFF_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > BACKOFF_MAX_MS) wait_ms = BACKOFF_MAX_MS;
    p->not_before_ns = o->now_ns + (wait_ms * 3 / 4 > SLACK_MS ? wait_ms * 3 / 4 - SLACK_MS : 0) * NS_PER_MS; /* [R-LEASE-5] */
    o->counts.revoked++;
}

/* -- what workers say -- */

void oracle_took_delivery_credit(struct oracle *o, uint32_t connection, uint64_t events)
{
    struct connection *c = connection_of(o, connection);
    if (c) credit_is_raised(o, c, events);
}

void oracle_took_extend(struct oracle *o, uint32_t connection, uint64_t number, uint32_t lease_ms)
{
    uint32_t index = lease_find(o, connection, number);
    struct lease *lease = index ? &o->leases.items[index] : NULL;
    if (!lease || lease->state != HOLDER_LIVE || lease->settle || lease_ms == 0) return;
    lease->deadline_ns = o->now_ns + (lease_ms < EXTEND_MAX_MS ? lease_ms : EXTEND_MAX_MS) * NS_PER_MS;
}

void oracle_took_release(struct oracle *o, uint32_t connection, uint64_t number)
{
    uint32_t index = lease_find(o, connection, number);
    struct lease *lease = index ? &o->leases.items[index] : NULL;
    if (!lease || lease->state != HOLDER_LIVE || lease->settle) return;
    lease->state = HOLDER_OVER;
    lease->returned = true;
    o->places.items[lease->place].same_attempt = true;
}

static void note_emits(struct oracle *o, struct settle *s, uint32_t index, const struct oracle_settle *in)
{
    const uint8_t *at = in->emits;
    s->first_emit = o->emits.count + 1;
    for (uint32_t i = 0; i < in->emit_count; i++) {
        uint32_t event = oracle_event_of(o, at, in->emit_sizes[i]);
        at += in->emit_sizes[i];
        if (!event) continue;
        struct known *known = &o->events.items[event];
        known_taken(o, known);
        s->again = s->again || known->settle != 0;
        s->answers = s->answers || known->answers_event != 0;
        known->settle = index;
        *list_add(o->emits) = event;
        s->emit_count++;
    }
}

void oracle_took_settle(struct oracle *o, uint32_t connection, const struct oracle_settle *in)
{
    struct connection *c = connection_of(o, connection);
    if (!c) return;
    uint32_t lease_index = lease_find(o, connection, in->lease);
    struct settle *s = list_add(o->settles);
    *s = (struct settle){ .lease = lease_index, .verb = in->verb, .number = in->number, .turn_ns = o->now_ns };
    table_put(&o->by_settle, pair_key(connection, in->number), o->settles.count);
    note_emits(o, s, o->settles.count, in);
    o->counts.settles++;
    if (!lease_index) return;
    struct lease *lease = &o->leases.items[lease_index];
    bool sound = in->verb >= ORACLE_ACK && in->verb <= ORACLE_REJECT && !(in->verb == ORACLE_NACK && in->emit_count > 0);
    s->living = sound && lease->state == HOLDER_LIVE && !lease->settle; /* an unsound one is refused, and the lease goes on */
    bool doubtful = lease->kept && o->places.items[lease->place].twice; /* what went before it of its key may be open again */
    s->sure = s->living && o->now_ns < lease->deadline_ns && !doubtful;
    s->late = s->living && o->last_turn_ns >= lease->deadline_ns;
    if (!s->living) return;
    lease->settle = o->settles.count;
    struct place *p = &o->places.items[lease->place];
    if (in->verb == ORACLE_NACK) {
        uint64_t wait_ms = in->delay_ms;
        p->not_before_ns = o->now_ns + (wait_ms > SLACK_MS ? wait_ms - SLACK_MS : 0) * NS_PER_MS; /* [R-SETTLE-2] */
    } else {
        p->maybe++;
        p->pending++;
    }
}

/* Refused at once, on a connection that a newer hello has ended in the same turn: nobody hears it, and it ends nothing. */
static void refused_in_vain(struct oracle *o, uint32_t index)
{
    struct settle *s = &o->settles.items[index];
    if (!index || !s->living || s->answered || s->verb == ORACLE_NACK) return;
    struct place *p = &o->places.items[o->leases.items[s->lease].place];
    s->answered = true;
    if (o->leases.items[s->lease].life != p->life) return;
    p->maybe--;
    p->pending--;
}

void oracle_told_settled(struct oracle *o, uint32_t connection, uint64_t number, bool ok, bool stale)
{
    uint32_t index = table_get(&o->by_settle, pair_key(connection, number));
    struct connection *c = connection_of(o, connection);
    if (!c && !ok) refused_in_vain(o, index);
    if (!c || (!index && !c->honest)) return;
    if (!index) broken(o, "answers_what_was_asked", "settle %llu was answered, but never sent", U(number));
    struct settle *s = &o->settles.items[index];
    struct lease *lease = s->lease ? &o->leases.items[s->lease] : NULL;
    struct place *p = lease ? &o->places.items[lease->place] : NULL;
    if (s->answered) broken(o, "one_answer_per_call", "settle %llu was answered twice", U(number));
    s->answered = true;
    s->answered_turn = o->turn;
    s->ok = ok;
    if (ok && !s->living) broken(o, "late_settles_are_stale", "settle %llu was taken though its lease had ended", U(number));
    if (ok && s->late)
        broken(o, "leases_end", "settle %llu on seq %llu was taken though its time had been over the turn before", U(number), U(p->seq));
    if (stale && s->sure)
        broken(o, "living_lease_is_honoured", "settle %llu on seq %llu was stale while its lease lived", U(number), U(p->seq));
    if (!s->living) {
        o->counts.stale += stale;
        return;
    }
    if (lease->life != p->life) return; /* its group was moved after it was taken */
    if (s->verb != ORACLE_NACK) {
        p->maybe--;
        p->pending--;
    }
    if (!ok) { /* refused: the lease goes on, unless it is stale */
        lease->settle = 0;
        if (stale) lease->state = HOLDER_OVER;
        o->counts.stale += stale;
        return;
    }
    if (lease->state == HOLDER_LIVE) lease->state = HOLDER_OVER;
    if (s->verb == ORACLE_NACK) return;
    if (p->settled) broken(o, "one_settle_per_event", "seq %llu was settled twice in %s", U(p->seq), o->groups.items[p->group].spec.name);
    p->settled = index;
}
