/* The oracle over what peers are sent. */
#include "tests/walk/world.h"

/* An at_most_once event says in its data who published it, and under which number. [P6] */
static void offered_once(struct walk *w, struct span bytes)
{
    struct event event;
    uint32_t said[2];
    if (event_scan(bytes, &event) != EVENT_OK || event.data.size != sizeof said) broken(w, "an event that nobody published", 0);
    memcpy(said, event.data.data, sizeof said);
    uint8_t *once = &w->peers[said[0]].once_of[said[1]];
    if (*once != ONCE_SAID) broken(w, "an at_most_once event offered twice", said[1]);
    *once = ONCE_OFFERED;
}

static void saw_accepted(struct walk *w, struct walker *p, const struct msg_accepted *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t number = m->first_number + i, seq = m->first_seq + i;
        if (seq > w->head) broken(w, "an accept before the commit", seq);
        if (number >= NUMBERS) continue;
        oracle_check_token(w, seq, p->token_of[number]);
        if (m->duplicate && p->token_of[number] && !p->position_of[number])
            continue; /* its token was taken under another number, whose place this is */
        if (p->position_of[number] && p->position_of[number] != seq) broken(w, "two positions for one number", number);
        p->position_of[number] = seq;
    }
}

void walker_let_go(struct walker *p, uint64_t seq)
{
    for (uint32_t i = 0; i < p->held_count; i++)
        if (p->held[i].seq == seq) p->held[i--] = p->held[--p->held_count];
}

/* [P4] */
static void check_order(const struct walk *w, const struct wanted *event)
{
    for (const struct wanted *e = w->events; e < event && event->lane; e++)
        if (e->lane == event->lane && e->level == event->level && !e->ended)
            broken(w, "out before one of its key before it was settled", event->seq);
}

/* [R-LIMIT-1, R-LIMIT-2]; `event` is out now. */
static void check_limits(const struct walk *w, const struct wanted *event)
{
    uint32_t all = 0, each = 0;
    for (uint32_t i = 0; i < WORKERS; i++)
        for (uint32_t k = 0; k < w->peers[i].held_count && w->peers[i].ready; k++) {
            uint32_t other = w->peers[i].held[k].settled ? UINT32_MAX : oracle_event(w, w->peers[i].held[k].seq);
            all += other != UINT32_MAX;
            each += other != UINT32_MAX && w->events[other].word == event->word;
        }
    if (w->options.limit && all > w->options.limit) broken(w, "more are out than the group's limit", event->seq);
    if (w->options.limit_each && each > w->options.limit_each) broken(w, "more are out of one word than its limit", event->seq);
}

static void check_alone(const struct walk *w, uint32_t peer, uint64_t seq)
{
    for (uint32_t i = 0; i < WORKERS; i++)
        for (uint32_t k = 0; k < w->peers[i].held_count; k++)
            if (i != peer && w->peers[i].ready && w->peers[i].held[k].seq == seq && !w->peers[i].held[k].settled)
                broken(w, "with two workers at a time", seq);
}

/* [R-RETRY-1]. A large retry was allowed before its parts were sent, so it does not count here. */
static void count_retry(struct walk *w, uint64_t seq, uint32_t attempt, struct span bytes)
{
    struct letter_seen *letter = letters_at(&w->letters, seq);
    uint32_t index = oracle_event(w, seq);
    struct event event;
    if (!letter && index == UINT32_MAX) return;
    bool again = letter || attempt > 1, uncertain = letter ? letter->uncertain : w->events[index].uncertain;
    uint32_t given = letter ? letter->given : w->events[index].given;
    if (attempt <= given) return; /* it was given back */
    if (letter)
        letter->given = attempt;
    else
        w->events[index].given = (uint8_t)attempt;
    if (!again) w->retries.firsts++;
    if (again && !uncertain && event_scan(bytes, &event) == EVENT_OK && event.parts.size == 0) w->retries.again++;
}

static void took(struct walk *w, uint32_t peer, struct held held, bool kept)
{
    struct walker *p = &w->peers[peer];
    if (p->leaving && !kept) broken(w, "a delivery to a worker that has left", held.seq);
    uint32_t event = oracle_event(w, held.seq);
    const struct letter_seen *letter = letters_at(&w->letters, held.seq),
                             *given_up = letters_newest(&w->letters, event != UINT32_MAX ? w->events[event].first : held.seq);
    bool settled = letter ? letter->acked : event != UINT32_MAX && w->events[event].settled;
    if (!kept && w->paused) broken(w, "delivered while it is paused", held.seq);
    if (settled) broken(w, kept ? "kept after its settle was answered" : "offered after its settle was answered", held.seq);
    if (letter ? letter->state != LETTER_RETRIED : given_up && !given_up->old && given_up->state != LETTER_OVER)
        broken(w, "offered after it was given up", held.seq);
    if (held.attempt > MAX_DELIVERIES) broken(w, "more attempts than the group may", held.seq);
    check_alone(w, peer, held.seq);
    walker_let_go(p, held.seq);
    if (p->held_count < HELD) p->held[p->held_count++] = held;
    if (event == UINT32_MAX) return;
    check_order(w, &w->events[event]);
    if (!kept) check_limits(w, &w->events[event]); /* what is kept may be over it: its settle was lost, and another had gone out after it */
}

static void saw_settled(struct walk *w, struct walker *p, const struct msg_settled *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t seq = 0;
        bool rejected = false;
        for (uint32_t k = 0; k < p->settling_count; k++)
            if (p->settling[k].number == m->first_number + i) seq = p->settling[k].seq, rejected = p->settling[k].rejected;
        if (m->code != CODE_OK || seq == 0) continue;
        struct letter_seen *letter = letters_at(&w->letters, seq);
        uint32_t event = oracle_event(w, seq);
        if (letter ? letter->acked : event != UINT32_MAX && w->events[event].settled) broken(w, "settled twice", seq);
        if (letter)
            letter->acked = !rejected;
        else if (event != UINT32_MAX)
            w->events[event].settled = rejected ? SETTLED_BY_REJECT : SETTLED_BY_ACK;
    }
}

bool walker_takes_parts(const struct walk *w, const struct walker *p)
{
    return (p - w->peers) % WORKERS != 0;
}

static void check_large(const struct walk *w, const char *promise, uint64_t seq)
{
    if (promise) broken(w, promise, seq);
}

static void saw_events(struct walk *w, struct walker *p, const struct msg_events *m, const struct span *bodies)
{
    for (size_t i = 0; i < m->count; i++) {
        check_large(w, large_event(&p->receiving, walker_takes_parts(w, p), 0, m->subscription, m->seq[i], bodies[i]), m->seq[i]);
        if (m->seq[i] > w->head) broken(w, "an event before the commit", m->seq[i]);
        if (m->seq[i] <= p->last_event) broken(w, "a subscription repeats", m->seq[i]);
        uint32_t before = oracle_event(w, p->last_event), now = oracle_event(w, m->seq[i]);
        for (uint32_t k = before + 1; before != UINT32_MAX && now != UINT32_MAX && k < now; k++)
            if (w->events[k].topic == 'a') broken(w, "a subscription skips", m->seq[i]);
        p->last_event = m->seq[i];
    }
}

static struct held held_before(const struct held *held, uint32_t count, uint64_t seq)
{
    for (uint32_t i = 0; i < count; i++)
        if (held[i].seq == seq) return held[i];
    return (struct held){ 0 };
}

static void saw_revokes(struct walker *p, const struct packet *m)
{
    for (size_t i = 0; m->revoke && i < m->revoke->count; i++)
        for (uint32_t k = 0; k < p->held_count; k++)
            if (p->held[k].lease == m->revoke->lease[i]) walker_let_go(p, p->held[k].seq);
}

/* What is over in a step is over before what begins in it, whatever the order of the peers. */
void oracle_saw_ends(struct walk *w, uint32_t peer, const struct packet *m)
{
    struct walker *p = &w->peers[peer];
    for (size_t i = 0; i < m->settled_count; i++)
        saw_settled(w, p, &m->settled[i]);
    for (size_t i = 0; m->revoke && i < m->revoke->count; i++)
        large_ended(&p->receiving, m->revoke->lease[i]);
    saw_revokes(p, m);
}

/* What it had still to see has left the window: it is told so, and begins after that. */
static void saw_window(struct walker *p, const struct packet *m)
{
    for (size_t i = 0; i < m->ended_count; i++)
        p->subscribed = false;
    for (size_t i = 0; i < m->subscribed_count; i++)
        if (m->subscribed[i].gap) p->last_event = m->subscribed[i].cursor;
}

void oracle_saw(struct walk *w, uint32_t peer, const struct packet *m)
{
    struct walker *p = &w->peers[peer];
    if (m->welcome) {
        struct held before[HELD];
        uint32_t before_count = p->held_count;
        memcpy(before, p->held, before_count * sizeof before[0]);
        p->ready = true;
        p->held_count = 0;
        p->generation = m->welcome->generation;
        for (size_t i = 0; i < m->welcome->kept_count; i++) {
            struct held was = held_before(before, before_count, m->welcome->kept_seq[i]);
            took(w, peer,
                 (struct held){ .lease = m->welcome->kept_lease[i],
                                .seq = m->welcome->kept_seq[i],
                                .first = was.first,
                                .letter = was.letter,
                                .attempt = m->welcome->kept_attempt[i],
                                .priority = was.priority },
                 true);
        }
    }
    if (m->deliver && m->deliver->generation) p->generation = m->deliver->generation;
    for (size_t i = 0; i < m->error_count; i++)
        if (m->errors[i].code == CODE_CONFLICT && m->errors[i].about == FIELD_HELLO) p->knows_b = !p->knows_b;
    for (size_t i = 0; i < m->answer_count; i++)
        w->answered = true, w->answer = m->answers[i].code, w->whys = m->answers[i].whys, w->why_count = m->answers[i].why_count;
    for (size_t i = 0; i < m->accepted_count; i++)
        saw_accepted(w, p, &m->accepted[i]);
    saw_window(p, m);
    const struct span *body = m->pieces;
    for (size_t i = 0; i < m->events_count; body += m->events[i].count, i++)
        saw_events(w, p, &m->events[i], body);
    for (size_t i = 0; m->deliver && i < m->deliver->count; i++, body++) {
        check_large(w, large_event(&p->receiving, walker_takes_parts(w, p), m->deliver->lease[i], 0, m->deliver->seq[i], *body),
                    m->deliver->seq[i]);
        if (is_once(*body))
            offered_once(w, *body);
        else if (m->deliver->seq[i] > w->head)
            broken(w, "a delivery before the commit", m->deliver->seq[i]);
        else if (oracle_event(w, m->deliver->seq[i]) == UINT32_MAX && !letters_at(&w->letters, m->deliver->seq[i]) &&
                 w->event_count < EVENTS)
            broken(w, "delivered what the group does not take", m->deliver->seq[i]);
        count_retry(w, m->deliver->seq[i], m->deliver->attempt[i], *body);
        took(w, peer,
             (struct held){ .lease = m->deliver->lease[i],
                            .seq = m->deliver->seq[i],
                            .first = m->deliver->first ? m->deliver->first[i] : 0,
                            .letter = m->deliver->letter && m->deliver->letter[i],
                            .attempt = m->deliver->attempt[i],
                            .priority = m->deliver->priority ? m->deliver->priority[i] : 0 },
             false);
    }
    body += m->partial_count;
    for (size_t i = 0; i < m->part_count; i++) {
        if (m->parts[i].lease) check_alone(w, peer, m->parts[i].seq);
        check_large(w, large_part(&p->receiving, &m->parts[i], body[i]), m->parts[i].seq);
    }
    saw_revokes(p, m); /* a seek takes back what the same packet delivers */
}

/* What an event is said to wait for, against who has it and what the log says. [R-WHY-1] */
static void check_why(struct walk *w, const struct why_row *row)
{
    bool held = false;
    for (uint32_t i = 0; i < WORKERS; i++)
        for (uint32_t k = 0; k < w->peers[i].held_count && w->peers[i].ready; k++)
            held = held || (w->peers[i].held[k].seq == row->seq && !w->peers[i].held[k].settled);
    if (held && row->wait != WAIT_WORKING) broken(w, "said to wait while a worker has it", row->seq);
    const struct letter_seen *letter = letters_newest(&w->letters, w->asked);
    if (row->wait == WAIT_DEAD && letter && letter->state == LETTER_OVER) broken(w, "said to be a dead letter when that is over", row->seq);
    if (row->wait == WAIT_PAUSED && !w->paused && w->committed == w->submitted) broken(w, "said to be paused", row->seq);
    for (uint32_t i = 0; i < w->delay_count && row->wait == WAIT_DELAYED; i++)
        if (w->delays[i].seq == w->asked && w->delays[i].came) broken(w, "said to be delayed after it came", row->seq);
}

void oracle_step_ends(struct walk *w)
{
    for (size_t i = 0; i < w->why_count; i++)
        check_why(w, &w->whys[i]);
    w->why_count = 0;
    const char *wrong = retries_step(&w->retries, &w->options, w->now_ns);
    bool parks = w->options.ordering || w->options.affinity || w->options.limit_each; /* a retry may have been allowed long ago */
    if (wrong && !parks) broken(w, wrong, w->head);
}
