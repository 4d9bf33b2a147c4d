/* When the link wants a connection, and the hello and welcome on it. A connection is wanted again after every loss, later and later, until
 * a refusal that waiting cannot mend stops the link. What is durable (numbers, leases, cursors) waits in its slots and is said again after
 * the next welcome. */
#include "sdk/link/state.h"

/* Every move the link may make. A move missing here is a bug. */
static const bool may_become[5][5] = {
    [LINK_WAITING] = { [LINK_CONNECTING] = true },
    [LINK_CONNECTING] = { [LINK_GREETING] = true, [LINK_WAITING] = true, [LINK_STOPPED] = true },
    [LINK_GREETING] = { [LINK_UP] = true, [LINK_WAITING] = true, [LINK_STOPPED] = true },
    [LINK_UP] = { [LINK_WAITING] = true, [LINK_STOPPED] = true },
    [LINK_STOPPED] = { [LINK_CONNECTING] = true },
};

static void link_become(struct link *link, enum link_state state, uint32_t code, uint32_t retry_ms, struct span message)
{
    struct link_fact fact = { .kind = LINK_FACT_STATE };
    must(may_become[link->state][state]);
    link->state = state;
    fact.state.state = state;
    fact.state.code = code;
    fact.state.retry_ms = retry_ms;
    fact.state.message = message;
    link_tell(link, &fact);
}

static uint32_t back_off_ms(struct link *link)
{
    uint64_t wait = link->options.backoff_min_ms;
    for (uint32_t i = 0; i < link->failures && wait < link->options.backoff_max_ms; i++)
        wait *= 2;
    if (wait > link->options.backoff_max_ms) wait = link->options.backoff_max_ms;
    link->failures++;
    return (uint32_t)(wait - link_random(link, wait / 2 + 1));
}

static void forget_connection(struct link *link)
{
    link->connection = 0;
    link->hello_sent = false;
    link->drain_ns = 0;
    link_publish_forget_connection(link);
    link_credit_forget_connection(link);
    link_lease_forget_connection(link);
    link_partial_forget_connection(link);
    link_part_forget_connection(link);
    link_subscribe_forget_connection(link);
    link_ask_forget_connection(link);
}

void link_retry(struct link *link, uint32_t code, uint32_t retry_ms, struct span message)
{
    uint32_t wait_ms = back_off_ms(link);
    if (wait_ms < retry_ms) wait_ms = retry_ms;
    link->wake_ns = link->now_ns + wait_ms * NS_PER_MS;
    forget_connection(link);
    link_become(link, LINK_WAITING, code, wait_ms, message);
}

static void link_stop(struct link *link, uint32_t code, struct span message)
{
    forget_connection(link);
    link_publish_stop(link, code, message);
    link_lease_stop(link);
    link_subscribe_stop(link, code, message);
    link_become(link, LINK_STOPPED, code, 0, message);
}

void link_want_connection(struct link *link)
{
    link->connects++;
    link->connection = link->connects;
    link->wake_ns = link->now_ns + CONNECT_TIMEOUT_MS * NS_PER_MS;
}

void link_resume(struct link *link, uint64_t now_ns)
{
    link->now_ns = now_ns;
    must(link->state == LINK_WAITING || link->state == LINK_STOPPED);
    link_want_connection(link);
    link_become(link, LINK_CONNECTING, CODE_OK, 0, span_of(NULL, 0));
}

void link_connected(struct link *link, uint64_t now_ns)
{
    link->now_ns = now_ns;
    if (link->state != LINK_CONNECTING) return;
    link->heard_ns = link->sent_ns = now_ns;
    link_become(link, LINK_GREETING, CODE_OK, 0, span_of(NULL, 0));
}

void link_lost(struct link *link, uint64_t now_ns, uint32_t code, struct span message)
{
    link->now_ns = now_ns;
    if (link->connection == 0) return;
    if (code == CODE_UNAUTHORIZED)
        link_stop(link, code, message);
    else
        link_retry(link, code, 0, message);
}

/* A refused hello that trying again cannot mend: who we are, or what we ask for, is wrong. [R-HELLO-2] [R-HELLO-4] [R-GROUP-1] */
static bool is_for_good(uint32_t code)
{
    switch (code) {
    case CODE_BAD_REQUEST:
    case CODE_BAD_VERSION:
    case CODE_UNAUTHORIZED:
    case CODE_FORBIDDEN:
    case CODE_NOT_FOUND:
    case CODE_TOO_LARGE:
    case CODE_CONFLICT:
    case CODE_UNSUPPORTED:
        return true;
    default:
        return false;
    }
}

void link_take_error(struct link *link, const struct msg_error *error)
{
    struct link_fact fact = { .kind = LINK_FACT_ERROR, .error = error };
    bool about_hello = error->about == FIELD_HELLO || error->about == 0;
    if (link->state == LINK_GREETING) {
        if (about_hello && is_for_good(error->code))
            link_stop(link, error->code, error->message);
        else
            link_retry(link, error->code, error->retry_ms, error->message);
        return;
    }
    if (error->about == FIELD_HELLO && (error->code == CODE_UNAUTHORIZED || error->code == CODE_STALE)) {
        link_retry(link, error->code, error->retry_ms, error->message); /* it has forgotten us: say hello on a new connection */
        return;
    }
    if (error->about == FIELD_SUBSCRIBE && link_take_subscribe_error(link, error)) return;
    link_tell(link, &fact);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void link_take_welcome(struct link *link, const struct msg_welcome *welcome)
{
    struct link_terms *terms = &link->terms;
    if (welcome->epoch.size == EPOCH_BYTES && memcmp(terms->epoch, welcome->epoch.data, EPOCH_BYTES) != 0) {
        memcpy(terms->epoch, welcome->epoch.data, EPOCH_BYTES);
        link->known_head = 0;
    }
    if (welcome->max_event_bytes != 0) terms->max_event_bytes = welcome->max_event_bytes;
    if (welcome->max_packet_bytes != 0) terms->max_packet_bytes = welcome->max_packet_bytes;
    if (welcome->emit_credit_bytes != 0) terms->emit_credit_bytes = welcome->emit_credit_bytes;
    if (welcome->heartbeat_ms != 0) terms->heartbeat_ms = welcome->heartbeat_ms;
    if (welcome->lease_ms != 0) terms->lease_ms = welcome->lease_ms;
    terms->large_events = smaller(welcome->large_events, LARGE_MAX);
    terms->generation = welcome->generation;
    terms->max_deliveries = welcome->max_deliveries;
    terms->replay = welcome->replay != 0;
    link->publish_window = link->publishing.window;
    if (welcome->publish_window != 0) link->publish_window = smaller(link->publish_window, welcome->publish_window);
    link->failures = 0;
    link_become(link, LINK_UP, CODE_OK, 0, span_of(NULL, 0));
    link_publish_welcome(link, welcome);
    link_adopt(link, welcome);
}

void link_flush_hello(struct link *link, struct flush *flush)
{
    const struct link_options *o = &link->options;
    struct msg_hello *hello;
    if (link->hello_sent) return;
    hello = link_take(flush, 1, sizeof *hello);
    hello->protocol = PROTOCOL_VERSION;
    hello->role = o->role;
    hello->name = o->name;
    hello->instance = o->instance;
    hello->tenant = o->tenant;
    hello->credential = o->credential;
    hello->publisher = o->publisher;
    hello->first_unanswered = o->publisher.size != 0 ? link->publishing.first : 0;
    hello->has_group = o->role == ROLE_WORKER;
    hello->group = o->group;
    hello->max_packet_bytes = 4 << 20;
    hello->max_event_bytes = o->event_bytes_max;
    link_flush_held(link, flush, hello);
    flush->packet->hello = hello;
    flush->any = true;
    link->hello_sent = true;
}
