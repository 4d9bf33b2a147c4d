/* Fixed slots, two maps and an array by descriptor. A number is never used twice, so what the core says about an ended connection finds
 * nobody. */
#include "coordinator/shell/connections.h"

#include "sdk/base/map.h"
#include "sdk/base/must.h"

#include <stdlib.h>

struct connections {
    struct connection *slots;
    uint32_t *free_slots; /* a stack */
    uint32_t free_count, max;
    uint32_t *watched; /* slots, in no order */
    uint32_t watched_count;
    uint32_t last_number;
    struct map by_routing, by_number; /* -> slot + 1 */
    void *maps[2];
    uint32_t *by_fd; /* -> slot + 1; 0: nobody */
    size_t fd_count;
};

struct connections *connections_new(uint32_t connections_max)
{
    struct connections *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->max = connections_max;
    c->slots = calloc(connections_max, sizeof *c->slots);
    c->free_slots = calloc(connections_max, sizeof *c->free_slots);
    c->watched = calloc(connections_max, sizeof *c->watched);
    for (size_t i = 0; i < 2; i++)
        c->maps[i] = calloc(1, map_memory(connections_max));
    if (!c->slots || !c->free_slots || !c->watched || !c->maps[0] || !c->maps[1]) {
        connections_free(&c);
        return NULL;
    }
    map_init(&c->by_routing, c->maps[0], connections_max);
    map_init(&c->by_number, c->maps[1], connections_max);
    for (uint32_t i = connections_max; i > 0; i--)
        c->free_slots[c->free_count++] = i - 1;
    return c;
}

void connections_free(struct connections **connections)
{
    struct connections *c = *connections;
    if (!c) return;
    free(c->slots);
    free(c->free_slots);
    free(c->watched);
    free(c->maps[0]);
    free(c->maps[1]);
    free(c->by_fd);
    free(c);
    *connections = NULL;
}

uint32_t connections_count(const struct connections *connections)
{
    return connections->max - connections->free_count;
}

static struct connection *find(struct connections *c, const struct map *map, uint32_t key)
{
    uint32_t place = map_get(map, key);
    return place ? &c->slots[place - 1] : NULL;
}

struct connection *connections_by_routing(struct connections *connections, uint32_t routing)
{
    return find(connections, &connections->by_routing, routing);
}

struct connection *connections_by_number(struct connections *connections, uint32_t number)
{
    return find(connections, &connections->by_number, number);
}

static bool room_for_fd(struct connections *c, size_t fd)
{
    if (fd < c->fd_count) return true;
    size_t count = c->fd_count ? c->fd_count : 256;
    while (count <= fd)
        count *= 2;
    uint32_t *by_fd = realloc(c->by_fd, count * sizeof *by_fd);
    if (!by_fd) return false;
    memset(by_fd + c->fd_count, 0, (count - c->fd_count) * sizeof *by_fd);
    c->by_fd = by_fd;
    c->fd_count = count;
    return true;
}

void connections_closed(struct connections *connections, int fd, uint64_t now_ns)
{
    if (fd < 0 || (size_t)fd >= connections->fd_count || connections->by_fd[fd] == 0) return;
    struct connection *connection = &connections->slots[connections->by_fd[fd] - 1];
    connections->by_fd[fd] = 0;
    connection->fd = -1;
    connection->tests = 0;
    connections_watch(connections, connection, now_ns);
}

struct connection *connections_add(struct connections *connections, uint32_t routing, int fd, uint64_t now_ns)
{
    if (connections->free_count == 0) return NULL;
    if (fd >= 0 && !room_for_fd(connections, (size_t)fd)) return NULL;
    connections_closed(connections, fd, now_ns);
    uint32_t slot = connections->free_slots[--connections->free_count];
    struct connection *connection = &connections->slots[slot];
    must(++connections->last_number != 0); /* four thousand million connections in one life */
    *connection = (struct connection){ .number = connections->last_number, .routing = routing, .fd = fd };
    must(map_put(&connections->by_routing, routing, slot + 1) && map_put(&connections->by_number, connection->number, slot + 1));
    if (fd >= 0) connections->by_fd[fd] = slot + 1;
    return connection;
}

void connections_unwatch(struct connections *connections, struct connection *connection)
{
    uint32_t slot = (uint32_t)(connection - connections->slots);
    for (uint32_t i = 0; i < connections->watched_count; i++)
        if (connections->watched[i] == slot) {
            connections->watched[i] = connections->watched[--connections->watched_count];
            break;
        }
    connection->watched = false;
}

void connections_remove(struct connections *connections, struct connection *connection)
{
    uint32_t slot = (uint32_t)(connection - connections->slots);
    must(map_remove(&connections->by_routing, connection->routing) && map_remove(&connections->by_number, connection->number));
    if (connection->fd >= 0) connections->by_fd[connection->fd] = 0;
    if (connection->watched) connections_unwatch(connections, connection);
    connections->free_slots[connections->free_count++] = slot;
}

void connections_watch(struct connections *connections, struct connection *connection, uint64_t due_ns)
{
    connection->due_ns = due_ns;
    if (connection->watched) return;
    connection->watched = true;
    connections->watched[connections->watched_count++] = (uint32_t)(connection - connections->slots);
}

uint64_t connections_tick(struct connections *connections, connections_look look, void *arg)
{
    uint64_t earliest_ns = UINT64_MAX;
    for (uint32_t i = connections->watched_count; i > 0; i--) { /* backwards: the look at one may take it out */
        struct connection *connection = &connections->slots[connections->watched[i - 1]];
        look(arg, connection);
    }
    for (uint32_t i = 0; i < connections->watched_count; i++) {
        uint64_t due_ns = connections->slots[connections->watched[i]].due_ns;
        if (due_ns < earliest_ns) earliest_ns = due_ns;
    }
    return earliest_ns;
}
