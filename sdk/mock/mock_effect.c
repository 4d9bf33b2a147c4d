/* Effects outside weir, as a test sees them. */
#include "sdk/mock/mock_parts.h"

#include <stdlib.h>

#include "sdk/src/worker.h"

static struct weir_mock *mock_behind(const weir_delivery *delivery)
{
    struct session_driver *driver = delivery->worker->session.driver;
    return (struct weir_mock *)driver; /* there is no other kind of driver */
}

static bool is_dead(struct weir_mock *mock, const weir_delivery *delivery)
{
    return mock_peer_of(mock, &delivery->worker->session)->dead;
}

static bool has_seen(const struct weir_mock *mock, const char *what, const char *key)
{
    for (size_t i = 0; i < mock->effect_count; i++)
        if (strcmp(mock->done[i].what, what) == 0 && strcmp(mock->done[i].key, key) == 0) return true;
    return false;
}

static bool make_place(struct weir_mock *mock)
{
    size_t room = mock->effect_room != 0 ? mock->effect_room * 2 : 64;
    weir_mock_done *grown;
    if (mock->effect_count < mock->effect_room) return true;
    grown = realloc(mock->done, room * sizeof *grown);
    if (grown == NULL) return false;
    mock->done = grown;
    mock->effect_room = room;
    return true;
}

static void record(struct weir_mock *mock, const weir_delivery *delivery, const char *what, const char *key)
{
    char *what_copy = strdup(what), *key_copy = strdup(key != NULL ? key : "");
    bool again = key != NULL && has_seen(mock, what, key);
    if (what_copy == NULL || key_copy == NULL || !make_place(mock)) abort(); /* a test that misses an effect would pass */
    mock->done[mock->effect_count++] =
        (weir_mock_done){ .what = what_copy, .key = key_copy, .seq = delivery->id_seq, .attempt = delivery->attempt, .again = again };
}

void weir_mock_effect(weir_delivery *delivery, const char *what, const char *key)
{
    struct weir_mock *mock = mock_behind(delivery);
    if (mock == NULL || is_dead(mock, delivery)) return;
    if (mock->on_effect != NULL) mock->on_effect(delivery, what, WEIR_MOCK_BEFORE, mock->arg);
    if (is_dead(mock, delivery)) return;
    record(mock, delivery, what, key);
    if (mock->on_effect != NULL) mock->on_effect(delivery, what, WEIR_MOCK_AFTER, mock->arg);
}

size_t weir_mock_effects(const weir_mock *mock, const weir_mock_done **out_effects)
{
    *out_effects = mock->done;
    return mock->effect_count;
}

void mock_effects_free(struct weir_mock *mock)
{
    for (size_t i = 0; i < mock->effect_count; i++) {
        free((void *)(uintptr_t)mock->done[i].what);
        free((void *)(uintptr_t)mock->done[i].key);
    }
    free(mock->done);
}
