/* Between the core and the link: the core's calls go down, the link's facts come up. */
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "gateway/shell/uplink_parts.h"

/* -- The core's calls -- */

/* The tenant that our hello names is ours, and on the wire the own tenant has no name: so does what is told about it. */
static struct span own_tenant(const struct uplink *u)
{
    if (u->config->dev) return span_text("dev");
    return u->config->identities[0].tenant;
}

static struct span wire_tenant(const struct uplink *u, struct span tenant)
{
    return span_equal(tenant, own_tenant(u)) ? span_of(NULL, 0) : tenant;
}

static enum link_result call_publish(void *self, struct span tenant, size_t size, size_t data_size, uint8_t **out_bytes,
                                     uint64_t *out_number)
{
    struct uplink *u = self;
    return link_publish(u->link, wire_tenant(u, tenant), size, data_size, out_bytes, out_number);
}

static enum link_result call_subscribe(void *self, const struct link_subscription *subscription)
{
    struct uplink *u = self;
    struct link_subscription on_wire = *subscription;
    on_wire.tenant = wire_tenant(u, subscription->tenant);
    return link_subscribe(u->link, &on_wire);
}

static void call_unsubscribe(void *self, uint64_t subscription)
{
    struct uplink *u = self;
    (void)link_unsubscribe(u->link, subscription); /* unknown: it has ended meanwhile, and the fact was told */
}

static void call_grant(void *self, uint64_t subscription, uint64_t events)
{
    struct uplink *u = self;
    (void)link_grant(u->link, subscription, events);
}

static void call_consumed(void *self, struct span tenant, uint64_t events, uint64_t bytes)
{
    struct uplink *u = self;
    link_consumed(u->link, wire_tenant(u, tenant), events, bytes);
}

static void call_cancel(void *self, struct span tenant, uint64_t seq)
{
    struct uplink *u = self;
    if (link_cancel(u->link, wire_tenant(u, tenant), seq) != LINK_OK)
        journal_warning("cancel_dropped", "seq=%llu", (unsigned long long)seq);
}

struct gate_uplink uplink_calls(struct uplink *u)
{
    return (struct gate_uplink){ u, call_publish, call_subscribe, call_unsubscribe, call_grant, call_consumed, call_cancel };
}

/* -- Facts -- */

static void tell_state(struct uplink *u, const struct link_fact *fact)
{
    static const char *const names[] = { "waiting", "connecting", "greeting", "up", "stopped" };
    const char *word = fact->state.code == CODE_OK ? "" : error_code_word(fact->state.code);
    const char *name = names[fact->state.state];
    u->state = fact->state.state;
    if (fact->state.state == LINK_STOPPED) {
        journal_error("uplink", "state=%s code=%s message=%.*s", name, word, (int)fact->state.message.size,
                      (const char *)fact->state.message.data);
    } else if (fact->state.state == LINK_UP) {
        gate_set_epoch(u->gate, span_of(link_terms(u->link)->epoch, EPOCH_BYTES));
        journal_info("uplink", "state=%s coordinator=%s epoch=%.*s", name, u->config->coordinator, EPOCH_BYTES, link_terms(u->link)->epoch);
    } else if (fact->state.state == LINK_WAITING) {
        journal_warning("uplink", "state=%s code=%s message=%.*s retry_ms=%u", name, word, (int)fact->state.message.size,
                        fact->state.message.size > 0 ? (const char *)fact->state.message.data : "", fact->state.retry_ms);
    } else {
        journal_debug("uplink", "state=%s", name);
    }
}

static void on_fact(void *arg, const struct link_fact *fact)
{
    struct uplink *u = arg;
    if (fact->kind == LINK_FACT_STATE) tell_state(u, fact);
    if (fact->kind == LINK_FACT_DRAIN) journal_info("coordinator_drains", "reconnect_ms=%u", fact->drain_ms);
    if (fact->kind == LINK_FACT_ERROR) {
        journal_warning("coordinator_error", "code=%s about=%u message=%.*s", error_code_word(fact->error->code), fact->error->about,
                        (int)fact->error->message.size, fact->error->message.size > 0 ? (const char *)fact->error->message.data : "");
    }
    gate_fact(u->gate, fact);
}

/* -- Life -- */

void *uplink_reserve(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static uint32_t count_tenants(const struct config *config)
{
    uint32_t most = config->identity_count + 2; /* dev, and the own one, whose name is empty */
    return most < GATE_TENANTS_MAX ? most : GATE_TENANTS_MAX;
}

bool uplink_make_link(struct uplink *u)
{
    uint8_t random[INSTANCE_BYTES + PUBLISHER_BYTES + sizeof(uint64_t)];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return false;
    struct link_options options = {
        .role = ROLE_GATEWAY,
        .name = span_text(u->config->name),
        .tenant = own_tenant(u),
        .credential = u->config->credential == NULL ? span_of(NULL, 0) : span_text(u->config->credential),
        .instance = span_of(random, INSTANCE_BYTES),
        .publisher = span_of(random + INSTANCE_BYTES, PUBLISHER_BYTES),
        .tenants_max = count_tenants(u->config),
        .subscriptions_max = u->config->limits.topics_max,
        .cancels_max = 1024,
        .on_fact = on_fact,
        .arg = u,
    };
    memcpy(&options.seed, random + INSTANCE_BYTES + PUBLISHER_BYTES, sizeof options.seed);
    u->link_size = link_memory(&options);
    void *memory = uplink_reserve(u->link_size);
    if (memory == NULL) return false;
    u->link = link_init(memory, &options, uv_hrtime());
    return true;
}
