/* The gateway in figures. */
#include "gateway/shell/http.h"
#include "gateway/shell/server.h"

static void counter(struct metrics *m, const char *name, uint64_t value, const char *help)
{
    metrics_family(m, name, METRICS_COUNTER, help);
    metrics_uint(m, name, value, NULL);
}

static void gauge(struct metrics *m, const char *name, uint64_t value, const char *help)
{
    metrics_family(m, name, METRICS_GAUGE, help);
    metrics_uint(m, name, value, NULL);
}

static void write_clients(struct metrics *m, const struct gate_stats *s)
{
    gauge(m, "weir_gateway_connections", s->connections, "open WebSockets");
    gauge(m, "weir_gateway_subscriptions", s->subscriptions, "subscriptions of clients");
    gauge(m, "weir_gateway_topics", s->topics, "subscriptions at the coordinator");
    gauge(m, "weir_gateway_operations", s->operations, "messages of clients without their answer");
    gauge(m, "weir_gateway_queued_bytes", s->pool_bytes, "memory of frames that wait for their sockets");
    counter(m, "weir_gateway_connections_opened_total", s->opened, "WebSockets opened");
    counter(m, "weir_gateway_frames_in_total", s->frames_in, "frames of clients");
    counter(m, "weir_gateway_frames_in_bytes_total", s->bytes_in, "bytes of clients' frames");
    counter(m, "weir_gateway_frames_out_total", s->frames_out, "frames to clients");
    counter(m, "weir_gateway_frames_out_bytes_total", s->bytes_out, "bytes of frames to clients");
    counter(m, "weir_gateway_events_in_total", s->events_in, "events from the coordinator");
    counter(m, "weir_gateway_events_out_total", s->events_out, "events to clients");
    counter(m, "weir_gateway_slow_downs_total", s->slow_downs, "clients told to slow down");
    counter(m, "weir_gateway_slow_closes_total", s->slow_closes, "clients closed because they read too slowly (4529)");
    metrics_family(m, "weir_gateway_errors_total", METRICS_COUNTER, "errors told to clients");
    for (uint32_t code = CODE_OK + 1; code < CODE_COUNT; code++) {
        metrics_uint(m, "weir_gateway_errors_total", s->errors[code], "code", error_code_word(code), NULL);
    }
}

static void write_server(struct metrics *m, const struct server_stats *s)
{
    counter(m, "weir_gateway_accepted_total", s->accepted, "TCP connections accepted");
    counter(m, "weir_gateway_accept_failures_total", s->accept_failures, "accepts that failed for want of descriptors or memory");
    counter(m, "weir_gateway_refused_upgrades_total", s->refused_upgrades, "WebSocket handshakes refused");
    counter(m, "weir_gateway_http_requests_total", s->http_requests, "plain HTTP requests");
    counter(m, "weir_gateway_pings_total", s->pings, "pings sent");
    counter(m, "weir_gateway_kills_total", s->kills, "connections ended without a close handshake");
    gauge(m, "weir_gateway_assembly_bytes", s->assembly_bytes, "memory of clients' unfinished frames");
}

static void write_uplink(struct metrics *m, const struct uplink *uplink)
{
    const struct uplink_stats *s = uplink_stats(uplink);
    gauge(m, "weir_gateway_uplink_up", uplink_is_up(uplink), "1: there is a welcome from the coordinator");
    counter(m, "weir_gateway_uplink_connects_total", s->connects, "connections begun to the coordinator");
    counter(m, "weir_gateway_uplink_packets_in_total", s->packets_in, "packets from the coordinator");
    counter(m, "weir_gateway_uplink_packets_out_total", s->packets_out, "packets to the coordinator");
    counter(m, "weir_gateway_uplink_in_bytes_total", s->bytes_in, "bytes from the coordinator");
    counter(m, "weir_gateway_uplink_out_bytes_total", s->bytes_out, "bytes to the coordinator");
}

void stats_write(struct gateway *gateway, struct metrics *m)
{
    write_clients(m, gate_stats(gateway->gate));
    write_server(m, server_stats(gateway->server));
    write_uplink(m, gateway->uplink);
}
