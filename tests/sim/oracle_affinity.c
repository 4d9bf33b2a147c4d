/* Affinity: a session stays with the worker that had its last event, while that is there and has credit [R-ORDER-5]. What has failed, or
 * was given back, may take it elsewhere; so may a restart, and a worker without credit, for which it waits no longer than the group says.
 */
#include "tests/sim/oracle_parts.h"

static void look_at_room(struct oracle *o, struct connection *c)
{
    if (c->credit <= c->delivered)
        c->room_since = 0;
    else if (!c->room_since)
        c->room_since = o->turn;
}

void credit_is_raised(struct oracle *o, struct connection *c, uint64_t events)
{
    if (events > c->credit) c->credit = events;
    look_at_room(o, c);
}

void credit_is_used(struct oracle *o, struct connection *c)
{
    c->delivered++;
    look_at_room(o, c);
}

/* It could have had the event of this turn, and of the turn before. */
static bool has_room(struct oracle *o, uint32_t connection)
{
    const struct connection *c = connection_of(o, connection);
    return c && c->honest && c->room_since && c->room_since < o->turn;
}

static struct session *session_of(struct oracle *o, uint32_t group, char name)
{
    uint64_t key = pair_key(group, (uint64_t)(uint8_t)name);
    uint32_t index = table_get(&o->by_session, key);
    if (!index) {
        *list_add(o->sessions) = (struct session){ 0 };
        table_put(&o->by_session, key, index = o->sessions.count);
    }
    return &o->sessions.items[index];
}

static void forget_sessions(struct oracle *o)
{
    for (uint32_t i = 1; i <= o->sessions.count; i++)
        o->sessions.items[i].connection = 0;
}

/* Of a large event it shows late where it goes. */
static bool is_its_first(const struct oracle *o, const struct known *known, const struct place *place, uint32_t attempt)
{
    return attempt == 1 && !place->attempt && !place->unsure && !known->once && !o->has_large;
}

/* Of two workers that had events of it in one turn nobody else knows which was the last. */
void session_goes(struct oracle *o, const struct known *known, const struct place *place, uint32_t connection, uint32_t attempt)
{
    if (!o->groups.items[place->group].spec.affinity) return;
    if (is_of_no_topic(known)) forget_sessions(o); /* its bytes were changed: it may be of any */
    if (!known->session) return;
    struct session *s = session_of(o, place->group, known->session);
    bool first = is_its_first(o, known, place, attempt);
    if (s->turn == o->turn && s->went_to != connection) s->blurred_turn = o->turn;
    if (first && s->turn != o->turn && s->connection && s->connection != connection)
        *list_add(o->moved) = (struct moved){ s->connection, place->seq };
    s->turn = o->turn;
    s->went_to = connection;
    s->connection = first && s->blurred_turn != o->turn ? connection : 0;
}

void sessions_end_turn(struct oracle *o)
{
    for (uint32_t i = 1; i <= o->moved.count; i++)
        if (has_room(o, o->moved.items[i].from))
            broken(o, "sessions_stay_warm", "seq %llu takes its session from connection %u, which has room", U(o->moved.items[i].seq),
                   o->moved.items[i].from);
    o->moved.count = 0;
}

void sessions_forget(struct oracle *o)
{
    forget_sessions(o);
    o->moved.count = 0;
}
