/* Application tokens: each is accepted once in its life, and repeats get the first one's position [P3].
 *
 * The tokens stand in a ring in the order of the log; as all live equally long they end in that order, too. Durable is what the ring holds:
 * an accepted event puts its token in, and takes out those whose life had ended by its log time. Deciding code counts a token as dead from
 * that moment on, whether or not it has been taken out. Only a hash of 128 bits is kept; its key is the same in every log, so that a table
 * means the same after a restore. Invariants: by_hash finds the newest token of each first half; a tenant's tokens are chained through the
 * ring from its oldest that is not known to be dead. */
#include "coordinator/core/token.h"
#include "coordinator/core/snapshot.h"
#include "coordinator/core/state.h"
#include "coordinator/core/tenant.h"
#include "proto/event.h"

enum { TOKENS_PER_SLICE = 4096 };

static struct token *token_at(const struct core *c, uint64_t number)
{
    return &c->tokens.ring[number % c->config.limits.tokens_max];
}

void token_tenant_init(struct tenant *tenant)
{
    static const uint64_t key[2] = { 0x77656972, 3 };
    map_hash_wide(key, tenant->name, tenant->name_size, tenant->token_key);
}

/* The map's keys are ours: strangers choose tokens, but not where they go. */
static uint64_t map_key(const struct core *c, const uint64_t hash[2])
{
    return hash[0] ^ c->config.secret[0];
}

static bool is_dead(const struct core *c, const struct token *token, uint64_t at_ms)
{
    return at_ms >= token->time_ms && at_ms - token->time_ms >= c->config.token_life_ms;
}

static uint64_t dies_in_ms(const struct core *c, const struct token *token)
{
    return token->time_ms + c->config.token_life_ms - c->log_ms;
}

/* ---- deciding ---- */

static void chain_forget_oldest(struct core *c, struct tenant *tenant)
{
    tenant->token_oldest += token_at(c, tenant->token_oldest)->next;
    tenant->token_count--;
}

/* Room for one more behind `ahead` others that are about to come. All that is dead goes when the first of them is put in. */
static uint64_t wait_for_room(struct core *c, uint32_t tenant_handle, uint32_t ahead)
{
    struct tenant *tenant = &c->tenants[tenant_handle];
    if (ahead >= c->config.limits.tokens_per_tenant || ahead >= c->config.limits.tokens_max) return c->config.token_life_ms; /* never */
    uint64_t taken = c->tokens.end - c->tokens.first + ahead, most = c->config.limits.tokens_max;
    while (tenant->token_count > 0 && is_dead(c, token_at(c, tenant->token_oldest), c->log_ms))
        chain_forget_oldest(c, tenant);
    if (tenant->token_count > 0 && tenant->token_count + ahead >= c->config.limits.tokens_per_tenant)
        return dies_in_ms(c, token_at(c, tenant->token_oldest));
    if (taken < most) return 0;
    const struct token *last = token_at(c, c->tokens.first + (taken - most)); /* it and all before it must go */
    return is_dead(c, last, c->log_ms) ? 0 : dies_in_ms(c, last);
}

static const struct token *find_living(const struct core *c, const uint64_t hash[2])
{
    uint32_t slot = map_get(&c->tokens.by_hash, map_key(c, hash));
    const struct token *token = slot ? &c->tokens.ring[slot - 1] : NULL;
    return token && !is_dead(c, token, c->log_ms) ? token : NULL;
}

/* A table of millions is in no cache, and finding its pages takes longer than all else: so the places of several events are asked for at
 * once, before the first of them is taken. */
void token_look_ahead(struct core *c, uint32_t tenant, struct token_look *look, size_t at)
{
    size_t begin = look->next, end = begin;
    c->tokens.expected_now = at % TOKENS_EXPECTED;
    if (at < begin) return;
    for (; end < look->publish->count && end < at + TOKENS_EXPECTED; end++) {
        struct span text = event_token(span_of(look->body, look->publish->size[end]));
        c->tokens.expected[end % TOKENS_EXPECTED].text = text;
        look->body += look->publish->size[end];
        map_hash_wide(c->tenants[tenant].token_key, text.data, text.size, c->tokens.expected[end % TOKENS_EXPECTED].hash);
    }
    for (size_t i = begin; i < end; i++)
        map_prefetch(&c->tokens.by_hash, map_key(c, c->tokens.expected[i % TOKENS_EXPECTED].hash));
    look->next = end;
}

/* The packet's memory is about to be used again. */
void token_look_end(struct core *c)
{
    memset(c->tokens.expected, 0, sizeof c->tokens.expected);
}

static void hash_token(struct core *c, uint32_t tenant, struct span text)
{
    struct span expected = c->tokens.expected[c->tokens.expected_now].text;
    if (text.data == expected.data && text.size == expected.size)
        memcpy(c->tokens.hint.hash, c->tokens.expected[c->tokens.expected_now].hash, sizeof c->tokens.hint.hash);
    else
        map_hash_wide(c->tenants[tenant].token_key, text.data, text.size, c->tokens.hint.hash);
    c->tokens.hint.text = text.data;
    c->tokens.hint.position = 0;
}

uint64_t token_find(struct core *c, uint32_t tenant, struct span text)
{
    if (text.size == 0 || c->config.replay.on) return 0;
    hash_token(c, tenant, text);
    const struct token *token = find_living(c, c->tokens.hint.hash);
    return token && token->hash[1] == c->tokens.hint.hash[1] ? token->position : 0;
}

struct token_answer token_ask(struct core *c, uint32_t tenant, struct span text, uint32_t ahead)
{
    c->tokens.in_use = text.size > 0 && !c->config.replay.on;
    if (!c->tokens.in_use) return (struct token_answer){ 0 }; /* a replay works on what was accepted long ago */
    hash_token(c, tenant, text);
    const struct token *token = find_living(c, c->tokens.hint.hash);
    uint64_t wait_ms;
    if (token && token->hash[1] == c->tokens.hint.hash[1]) return (struct token_answer){ .position = token->position };
    if (token) /* two tokens that share the first half of their hashes: not in a lifetime, but it must not be taken for a repeat */
        wait_ms = dies_in_ms(c, token);
    else
        wait_ms = wait_for_room(c, tenant, ahead);
    return (struct token_answer){ .wait_ms = wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX };
}

bool token_mark(struct core *c, struct span text, uint64_t position)
{
    if (text.size == 0 || c->config.replay.on) return false;
    must(c->tokens.hint.text == text.data); /* it was asked for just before */
    c->tokens.hint.position = position;
    return true;
}

/* ---- snapshots ---- */

static void write_half(uint8_t *out, uint64_t half)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(half >> (8 * i));
}

static void save_some(struct core *c)
{
    struct record_token *tokens = arena_take(&c->scratch, TOKENS_PER_SLICE * sizeof *tokens);
    struct record_tokens table = { .tokens = tokens };
    struct table_tenants tenants = { 0 };
    for (; tokens && table.count < TOKENS_PER_SLICE && c->snapshot.next_token < c->snapshot.token_end; c->snapshot.next_token++) {
        const struct token *token = token_at(c, c->snapshot.next_token);
        uint32_t tenant = table_tenant(c, &tenants, token->tenant, table.tenants);
        if (tenant == RECORD_TABLE_TENANTS_MAX) break;
        struct record_token *to = &tokens[table.count++];
        *to = (struct record_token){ .position = token->position, .time_ms = token->time_ms, .tenant = tenant };
        write_half(to->hash, token->hash[0]);
        write_half(to->hash + 8, token->hash[1]);
    }
    table.tenant_count = tenants.count;
    size_t bound = record_table_bound(table.count);
    uint8_t *body = tokens ? arena_take(&c->scratch, bound) : NULL;
    snapshot_record(c, RECORD_TOKENS, span_of(body, body ? record_tokens_write(&table, body, bound) : 0));
}

/* It is about to go: a snapshot under way takes it first. */
static void save_before(struct core *c, uint64_t number)
{
    while (snapshot_is_open(c) && c->snapshot.next_token <= number && c->snapshot.next_token < c->snapshot.token_end)
        save_some(c);
}

bool tokens_save_slice(struct core *c)
{
    if (snapshot_is_open(c) && c->snapshot.next_token < c->snapshot.token_end) save_some(c);
    return c->snapshot.next_token == c->snapshot.token_end;
}

/* ---- applying ---- */

static void drop_first(struct core *c)
{
    uint64_t number = c->tokens.first;
    save_before(c, number);
    struct token *token = token_at(c, number);
    struct tenant *tenant = &c->tenants[token->tenant];
    uint32_t slot = (uint32_t)(token - c->tokens.ring) + 1;
    if (tenant->token_count > 0 && tenant->token_oldest == number) chain_forget_oldest(c, tenant);
    if (map_get(&c->tokens.by_hash, map_key(c, token->hash)) == slot) map_remove(&c->tokens.by_hash, map_key(c, token->hash));
    c->tokens.first++;
    uint64_t soon = c->tokens.first + TOKENS_EXPECTED;
    if (soon < c->tokens.end) map_prefetch(&c->tokens.by_hash, map_key(c, token_at(c, soon)->hash));
}

static void put(struct core *c, uint32_t tenant_handle, const uint64_t hash[2], uint64_t position, uint64_t time_ms)
{
    struct tenant *tenant = &c->tenants[tenant_handle];
    while (c->tokens.first < c->tokens.end && is_dead(c, token_at(c, c->tokens.first), time_ms))
        drop_first(c);
    if (c->tokens.end - c->tokens.first == c->config.limits.tokens_max) drop_first(c); /* only after a start with a lower limit */
    uint64_t number = c->tokens.end++;
    struct token *token = token_at(c, number);
    *token = (struct token){ .hash = { hash[0], hash[1] }, .position = position, .time_ms = time_ms, .tenant = tenant_handle };
    if (tenant->token_count > 0)
        token_at(c, tenant->token_newest)->next = (uint32_t)(number - tenant->token_newest);
    else
        tenant->token_oldest = number;
    tenant->token_newest = number;
    tenant->token_count++;
    must(map_put(&c->tokens.by_hash, map_key(c, hash), (uint32_t)(token - c->tokens.ring) + 1));
}

/* A tenant that is not configured any more has no use for its tokens. */
bool apply_token(struct core *c, const struct block *block, uint32_t index)
{
    const struct record *record = &block->records[index];
    uint64_t position = block->first_position + index, time_ms = block->time_ms + record->time_delta_ms;
    uint64_t hash[2] = { c->tokens.hint.hash[0], c->tokens.hint.hash[1] };
    uint32_t tenant = tenant_get(c, block_topic_tenant(block, record->topic - 1u));
    if (!tenant) return true;
    if (c->tokens.hint.position != position) {
        struct event event;
        if (event_scan(block_body(block, record), &event) != EVENT_OK || event.token.size == 0) return false;
        map_hash_wide(c->tenants[tenant].token_key, event.token.data, event.token.size, hash);
    }
    put(c, tenant, hash, position, time_ms);
    return true;
}

static uint64_t read_half(const uint8_t *bytes)
{
    uint64_t half = 0;
    for (int i = 0; i < 8; i++)
        half |= (uint64_t)bytes[i] << (8 * i);
    return half;
}

bool apply_tokens(struct core *c, struct span body)
{
    struct record_token *tokens = arena_take(&c->scratch, TOKENS_PER_SLICE * sizeof *tokens);
    struct record_tokens read;
    bool good = tokens && record_tokens_read(body, tokens, TOKENS_PER_SLICE, &read);
    for (uint32_t i = 0; good && i < read.count; i++) {
        uint32_t tenant = tenant_get(c, read.tenants[tokens[i].tenant]);
        const uint64_t hash[2] = { read_half(tokens[i].hash), read_half(tokens[i].hash + 8) };
        if (tenant) put(c, tenant, hash, tokens[i].position, tokens[i].time_ms);
    }
    arena_reset(&c->scratch); /* recovery has no steps that would */
    return good;
}

uint64_t tokens_digest(const struct core *c)
{
    uint64_t sum = 0;
    for (uint64_t number = c->tokens.first; number < c->tokens.end; number++) {
        const struct token *token = token_at(c, number);
        const uint64_t fields[4] = { token->hash[0], token->hash[1], token->position, token->time_ms };
        sum += map_hash((const uint64_t[2]){ 9, 10 }, fields, sizeof fields);
    }
    return sum;
}
