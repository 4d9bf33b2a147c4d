/* The table of connections: routing id and descriptor (ZeroMQ's) <-> number (the core's), and what is known of their ends. Kind: shell.
 *
 * An end is seen in three ways, none of them complete: the monitor tells a descriptor (which may serve another connection by then), a send
 * finds the peer unreachable, and a descriptor turns up under a new connection. All three only make a connection a suspect; a send that
 * fails with EHOSTUNREACH convicts it. It is reported gone one turn after it was read empty, so its last packets come first.
 *
 *     live -> suspect -> unreachable -> gone          suspect -> live: its test messages are taken for a second
 *     live -> forgotten -> cut -> unreachable -> (dropped, not reported)
 */
#ifndef WEIR_COORDINATOR_CONNECTIONS_H
#define WEIR_COORDINATOR_CONNECTIONS_H

#include "coordinator/core/core.h"
#include "coordinator/shell/access.h"

struct connection {
    uint32_t number;  /* the core's name for it; never used twice */
    uint32_t routing; /* the last four bytes of its routing id */
    int fd;           /* -1: known to be closed or not known */
    bool watched;     /* in the list of those with a due time */
    bool forgotten;   /* the core is done with it: what it sends is dropped */
    bool cut;         /* its descriptor was shut down by us */
    bool unreachable;
    uint8_t tests;
    uint64_t due_ns;
    struct core_grant grant; /* grant.tenant points to tenant or into the tokens */
    char tenant[ACCESS_TENANT_MAX + 1];
};

struct connections;

struct connections *connections_new(uint32_t connections_max);
void connections_free(struct connections **connections);
uint32_t connections_count(const struct connections *connections);

/* NULL: not there. Lent until it is removed. */
struct connection *connections_by_routing(struct connections *connections, uint32_t routing);
struct connection *connections_by_number(struct connections *connections, uint32_t number);

/* NULL when the table is full. The connection that had this descriptor becomes a suspect. */
struct connection *connections_add(struct connections *connections, uint32_t routing, int fd, uint64_t now_ns);
void connections_remove(struct connections *connections, struct connection *connection);

/* The monitor says this descriptor was closed: its connection is a suspect. */
void connections_closed(struct connections *connections, int fd, uint64_t now_ns);

/* Gives the connection a due time (and takes it away). Those that have one are looked at by connections_tick. */
void connections_watch(struct connections *connections, struct connection *connection, uint64_t due_ns);
void connections_unwatch(struct connections *connections, struct connection *connection);

/* Calls back for each watched connection (it may be removed or unwatched in the call). Returns the earliest due time of those left,
 * UINT64_MAX: none. */
typedef void (*connections_look)(void *arg, struct connection *connection);
uint64_t connections_tick(struct connections *connections, connections_look look, void *arg);

#endif
