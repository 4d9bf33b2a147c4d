/* Opening and closing, the clock, and what the SDK's sessions ask of their driver. */
#include "sdk/mock/mock_parts.h"

#include <stdio.h>
#include <stdlib.h>

#define START_MS   UINT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define STEP_NS    UINT64_C(1000000)       /* when something is due and yet nothing happened: never stand still */
#define TURN_BYTES (8u << 20)

static pthread_mutex_t mocks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct weir_mock *mocks;
static unsigned mocks_opened;

/* splitmix64 */
uint64_t mock_random(struct weir_mock *mock)
{
    uint64_t z = mock->random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* -- the driver -- */

static struct weir_mock *mock_of(struct session_driver *driver)
{
    return (struct weir_mock *)driver;
}

static uint64_t now_ns(const struct session_driver *driver)
{
    return ((const struct weir_mock *)driver)->now_ns;
}

static uint64_t wall_ms(const struct session_driver *driver)
{
    return weir_mock_time_ms((const struct weir_mock *)driver);
}

static void fill_random(struct session_driver *driver, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)mock_random(mock_of(driver));
}

static bool wait(struct session_driver *driver, struct session *session, uint64_t deadline_ns)
{
    struct weir_mock *mock = mock_of(driver);
    if (mock_peer_of(mock, session)->dead) return false;
    if (mock_turn(mock)) return true;
    if (mock->now_ns >= deadline_ns) return false;
    mock_jump(mock, deadline_ns);
    (void)mock_turn(mock);
    return true;
}

static struct session_driver *find_driver(const char *endpoint)
{
    struct weir_mock *mock;
    (void)pthread_mutex_lock(&mocks_lock);
    mock = mocks;
    while (mock != NULL && strcmp(mock->endpoint, endpoint) != 0)
        mock = mock->next;
    (void)pthread_mutex_unlock(&mocks_lock);
    return mock != NULL ? &mock->driver : NULL;
}

/* -- open, close -- */

static void free_mock(struct weir_mock *mock)
{
    mock_core_end(mock);
    if (mock->disk != NULL) memory_disk_free(&mock->disk);
    mock_effects_free(mock);
    free(mock->fetched);
    free(mock->arena.memory);
    free(mock->answer.memory);
    free(mock);
}

static bool make_room(struct weir_mock *mock)
{
    void *arena = malloc(TURN_BYTES), *answer = malloc(TURN_BYTES);
    arena_init(&mock->arena, arena, TURN_BYTES);
    arena_init(&mock->answer, answer, TURN_BYTES);
    mock->disk = memory_disk_new(mock_random(mock) | 1, 0);
    return arena != NULL && answer != NULL && mock->disk != NULL && mock_core_start(mock);
}

static void enlist(struct weir_mock *mock)
{
    (void)pthread_mutex_lock(&mocks_lock);
    (void)snprintf(mock->endpoint, sizeof mock->endpoint, "mock:%u", ++mocks_opened);
    mock->next = mocks;
    mocks = mock;
    session_find_driver = find_driver;
    (void)pthread_mutex_unlock(&mocks_lock);
}

static void delist(struct weir_mock *mock)
{
    struct weir_mock **at = &mocks;
    (void)pthread_mutex_lock(&mocks_lock);
    while (*at != mock)
        at = &(*at)->next;
    *at = mock->next;
    (void)pthread_mutex_unlock(&mocks_lock);
}

weir_status weir_mock_open(const weir_mock_options *given, weir_mock **out_mock)
{
    weir_mock_options o = WEIR_MOCK_OPTIONS_INIT;
    struct weir_mock *mock;
    if (out_mock == NULL || (given != NULL && !session_take_options(&o, sizeof o, given, given->size)))
        return session_refuse_open(WEIR_INVALID, "options: begin with WEIR_MOCK_OPTIONS_INIT");
    mock = calloc(1, sizeof *mock);
    if (mock == NULL) return session_refuse_open(WEIR_NO_MEMORY, "no memory for a mock");
    mock->driver = (struct session_driver){ mock_attach, mock_detach, now_ns, wall_ms, fill_random, wait };
    mock->random = o.seed != 0 ? o.seed : 1;
    mock->start_ms = o.start_ms != 0 ? o.start_ms : START_MS;
    mock->now_ns = STEP_NS;
    mock->on_effect = o.on_effect;
    mock->arg = o.arg;
    if (!make_room(mock)) {
        free_mock(mock);
        return session_refuse_open(WEIR_NO_MEMORY, "no memory for a mock");
    }
    enlist(mock);
    *out_mock = mock;
    return WEIR_OK;
}

weir_status weir_mock_close(weir_mock **mock)
{
    if (*mock == NULL) return WEIR_OK;
    if ((*mock)->peer_count != 0) return session_refuse_open(WEIR_INVALID, "a handle is open on this mock: close it first");
    delist(*mock);
    free_mock(*mock);
    *mock = NULL;
    return WEIR_OK;
}

const char *weir_mock_endpoint(const weir_mock *mock)
{
    return mock->endpoint;
}

/* -- time -- */

uint64_t weir_mock_time_ms(const weir_mock *mock)
{
    return mock->start_ms + mock->now_ns / 1000000u;
}

void mock_jump(struct weir_mock *mock, uint64_t until_ns)
{
    uint64_t next = core_deadline_ns(mock->core);
    for (size_t i = 0; i < mock->peer_count; i++) {
        const struct mock_peer *peer = &mock->peers[i];
        uint64_t due = peer->dead ? UINT64_MAX : link_deadline_ns(peer->session->link);
        if (due < next) next = due;
    }
    if (next < mock->now_ns + STEP_NS) next = mock->now_ns + STEP_NS;
    mock->now_ns = next < until_ns ? next : until_ns;
}

static void run_until(struct weir_mock *mock, uint64_t until_ns)
{
    for (;;) {
        while (mock_turn(mock)) {
        }
        if (mock->now_ns >= until_ns) return;
        mock_jump(mock, until_ns);
    }
}

void weir_mock_advance(weir_mock *mock, uint64_t ms)
{
    run_until(mock, mock->now_ns + ms * 1000000u);
}

/* -- faults -- */

/* What it had to send arrives, and nobody hears the answer. */
static void send_unheard(struct weir_mock *mock, struct mock_peer *peer)
{
    peer->deaf = true;
    run_until(mock, mock->now_ns);
    peer->deaf = false;
}

void weir_mock_cut(weir_mock *mock, const void *handle, bool sent)
{
    struct mock_peer *peer = mock_peer_of(mock, handle);
    if (peer == NULL || peer->dead) return;
    if (sent) send_unheard(mock, peer);
    mock_drop(mock, peer, "the connection was lost");
}

void weir_mock_kill(weir_mock *mock, const void *handle, bool sent)
{
    struct mock_peer *peer = mock_peer_of(mock, handle);
    if (peer == NULL || peer->dead) return;
    if (sent) send_unheard(mock, peer);
    mock_drop(mock, peer, "the process was killed");
    peer->dead = true;
}

void weir_mock_restart(weir_mock *mock, bool kept)
{
    log_memory_crash(&mock->log, kept ? SIZE_MAX : 0, false);
    for (size_t i = 0; i < mock->peer_count; i++)
        mock_drop(mock, &mock->peers[i], "the connection was lost");
    mock->gone_count = 0; /* the core that is to hear of them is no more */
    mock_core_end(mock);
    if (!mock_core_start(mock)) abort(); /* the same memory was there a moment ago */
}
