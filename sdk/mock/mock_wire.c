/* Connections between the SDK's sessions and the core: numbers on one side and on the other, and packets through the real codec. */
#include "sdk/mock/mock_parts.h"

#include "proto/codec.h"
#include "sdk/base/must.h"

struct mock_peer *mock_peer_of(struct weir_mock *mock, const struct session *session)
{
    for (size_t i = 0; i < mock->peer_count; i++)
        if (mock->peers[i].session == session) return &mock->peers[i];
    return NULL;
}

bool mock_attach(struct session_driver *driver, struct session *session)
{
    struct weir_mock *mock = (struct weir_mock *)driver;
    if (mock->peer_count == MOCK_PEERS_MAX) return false;
    mock->peers[mock->peer_count++] = (struct mock_peer){ .session = session };
    return true;
}

static void forget(struct weir_mock *mock, struct mock_peer *peer)
{
    if (peer->connection == 0) return;
    must(mock->gone_count < MOCK_PEERS_MAX);
    mock->gone[mock->gone_count++] = peer->connection;
    peer->connection = 0;
}

/* What it says when it closes still leaves it, as with a socket's linger. */
void mock_detach(struct session_driver *driver, struct session *session)
{
    struct weir_mock *mock = (struct weir_mock *)driver;
    struct mock_peer *peer = mock_peer_of(mock, session);
    if (!peer->dead) (void)mock_turn(mock);
    forget(mock, peer);
    mock->peer_count--;
    for (struct mock_peer *end = mock->peers + mock->peer_count; peer < end; peer++) /* their order decides what happens */
        *peer = peer[1];
}

void mock_drop(struct weir_mock *mock, struct mock_peer *peer, const char *why)
{
    if (peer->connection == 0) return;
    forget(mock, peer);
    pump_lose(peer->session, CODE_OK, why);
}

/* The session has the connection that its link wants. */
static bool follow(struct weir_mock *mock, struct mock_peer *peer)
{
    struct session *session = peer->session;
    uint32_t wanted = link_connection(session->link);
    if (wanted == session->connection && (peer->connection != 0 || wanted == 0)) return false;
    forget(mock, peer);
    session->connection = wanted;
    if (wanted == 0 || mock->gone_count != 0) return true; /* the core hears of the old one before it hears of the new */
    peer->connection = ++mock->last_connection;
    pump_connected(session);
    return true;
}

static struct span copy_body(struct arena *arena, const struct packet *packet)
{
    size_t size = codec_body_size(packet), at = 0;
    uint8_t *bytes = arena_take(arena, size + 1);
    must(bytes != NULL);
    for (size_t i = 0; i < packet->piece_count; i++) {
        if (packet->pieces[i].size != 0) memcpy(bytes + at, packet->pieces[i].data, packet->pieces[i].size);
        at += packet->pieces[i].size;
    }
    return span_of(bytes, size);
}

/* A session's packets as the core will read them. */
static bool take_packets(struct weir_mock *mock, struct mock_peer *peer, struct core_turn *turn)
{
    static const struct core_grant everything = { .roles = UINT32_MAX, .tenant = { (const uint8_t *)"dev", 3 }, .any_tenant = true };
    bool any = false, room = true;
    struct packet *built, *decoded;
    struct span head;
    while (room && peer->connection != 0 && mock->packet_count < MOCK_PACKETS_MAX && pump_build(peer->session, &built, &head)) {
        struct span body = copy_body(&mock->arena, built);
        uint8_t *copy = arena_take(&mock->arena, head.size);
        must(copy != NULL);
        memcpy(copy, head.data, head.size);
        must(codec_decode(&mock->arena, span_of(copy, head.size), body, &decoded) == CODEC_OK);
        mock->packets[mock->packet_count++] =
            (struct core_packet){ .connection = peer->connection, .grant = everything, .packet = decoded };
        room = core_turn_add(turn, decoded);
        any = true;
    }
    return any;
}

bool mock_gather(struct weir_mock *mock)
{
    struct core_turn turn;
    core_begin_turn(mock->core, &turn);
    bool moved = false;
    mock->packet_count = 0;
    arena_reset(&mock->arena);
    for (size_t i = 0; i < mock->peer_count; i++) {
        struct mock_peer *peer = &mock->peers[i];
        if (peer->dead) continue;
        pump_tick(peer->session);
        moved |= follow(mock, peer);
        if (mock->wants_packets && turn.packets < CORE_TURN_ITEMS) moved |= take_packets(mock, peer, &turn);
    }
    return moved;
}

void mock_deliver(struct weir_mock *mock, const struct core_out *out)
{
    struct span head, body;
    for (size_t i = 0; i < mock->peer_count; i++) {
        struct mock_peer *peer = &mock->peers[i];
        if (peer->connection != out->connection || peer->deaf) continue;
        arena_reset(&mock->answer);
        must(codec_encode(&mock->answer, out->packet, &head) == CODEC_OK);
        body = copy_body(&mock->answer, out->packet);
        pump_take(peer->session, head, body);
    }
}

void mock_tell_users(struct weir_mock *mock)
{
    for (size_t i = 0; i < mock->peer_count; i++)
        if (!mock->peers[i].dead) pump_tell_user(mock->peers[i].session);
}
