/* What the settings mean: from the table (config_table.c) to what the core, the log and the shell are told. */
#include "coordinator/shell/config.h"
#include "coordinator/shell/config_groups.h"
#include "coordinator/shell/config_table.h"

#include "sdk/base/must.h"

#include <stdlib.h>
#include <string.h>

static uint32_t number32(const struct config *config, size_t index)
{
    return (uint32_t)options_number(config->options, index); /* the table limits it */
}

static struct span text_of(const struct config *config, size_t index)
{
    const char *text = options_text(config->options, index);
    return text ? span_text(text) : (struct span){ NULL, 0 };
}

static void fill_log(struct config *config)
{
    const struct options *o = config->options;
    config->data = options_text(o, OPT_DATA);
    config->in_memory = options_number(o, OPT_BACKEND) == 1;
    config->durability = options_text(o, OPT_DURABILITY);
    config->log = (struct log_config){ .directory = config->data,
                                       .read_only = options_true(o, OPT_READ_ONLY),
                                       .accept_loss = options_true(o, OPT_ACCEPT_LOSS),
                                       .cache_bytes = options_number(o, OPT_CACHE),
                                       .write_buffer_bytes = options_number(o, OPT_WRITE_BUFFER) };
    must(config_parse_durability(config->durability, &config->log.durability, &config->log.interval_ms));
    config->window_ms = options_number(o, OPT_WINDOW);
    config->window_bytes = options_number(o, OPT_WINDOW_BYTES);
    config->snapshot_blocks = options_number(o, OPT_SNAPSHOT_BLOCKS);
    config->accept_clock = options_true(o, OPT_ACCEPT_CLOCK);
}

static void fill_tenants(struct config *config)
{
    size_t count = options_count(config->options, OPT_TENANTS);
    for (size_t i = 0; i < count; i++)
        config->tenants[i] = span_text(options_item(config->options, OPT_TENANTS, i));
    if (count == 0) config->tenants[count++] = span_text("dev");
    config->core.tenants = config->tenants;
    config->core.tenant_count = count;
    config->core.any_tenant = config->dev;
    uint32_t room = number32(config, OPT_TENANTS_MAX);
    config->core.limits.tenants_max = config->dev && room > count ? room : (uint32_t)count;
}

static void fill_core(struct config *config)
{
    config->core.limits = (struct core_limits){ .peers_max = number32(config, OPT_PEERS),
                                                .groups_max = number32(config, OPT_GROUPS),
                                                .leases_max = number32(config, OPT_LEASES),
                                                .failed_max = number32(config, OPT_FAILED),
                                                .dead_max = number32(config, OPT_DEAD),
                                                .dead_per_group_max = number32(config, OPT_DEAD_PER_GROUP),
                                                .busy_keys_max = number32(config, OPT_BUSY_KEYS),
                                                .parked_max = number32(config, OPT_PARKED),
                                                .parked_per_group_max = number32(config, OPT_PARKED_PER_GROUP),
                                                .subscriptions_max = number32(config, OPT_SUBSCRIPTIONS),
                                                .publishers_max = number32(config, OPT_PUBLISHERS),
                                                .held_max = number32(config, OPT_HELD),
                                                .held_per_tenant = number32(config, OPT_HELD_PER_TENANT),
                                                .tokens_max = number32(config, OPT_TOKENS_KEPT),
                                                .tokens_per_tenant = number32(config, OPT_TOKENS_PER_TENANT),
                                                .large_events_max = number32(config, OPT_LARGE_EVENTS),
                                                .blocks_cached = number32(config, OPT_BLOCKS_CACHED),
                                                .ranges_per_group_max = number32(config, OPT_RANGES),
                                                .turn_items_max = number32(config, OPT_TURN_ITEMS) };
    config->core.heartbeat_ms = number32(config, OPT_HEARTBEAT);
    config->core.lease_ms = number32(config, OPT_LEASE);
    config->core.adopt_grace_ms = number32(config, OPT_ADOPT_GRACE);
    config->core.backoff_ms = number32(config, OPT_BACKOFF);
    config->core.token_life_ms = number32(config, OPT_TOKEN_LIFE);
    config->core.publish_credit_events = number32(config, OPT_PUBLISH_EVENTS);
    config->core.publish_credit_bytes = number32(config, OPT_PUBLISH_BYTES);
    config->core.emit_credit_bytes = number32(config, OPT_EMIT_BYTES);
    config->core.max_event_bytes = number32(config, OPT_EVENT_BYTES);
    config->core.max_packet_bytes = number32(config, OPT_PACKET_BYTES);
    config->core.server = span_text("weir/" WEIR_VERSION);
    fill_tenants(config);
}

static void fill_replay(struct config *config)
{
    struct core_replay *replay = &config->core.replay;
    replay->on = config->log.read_only;
    replay->from = options_number(config->options, OPT_REPLAY_FROM);
    replay->until = options_number(config->options, OPT_REPLAY_UNTIL);
    replay->filter = text_of(config, OPT_REPLAY_FILTER);
    replay->session = text_of(config, OPT_REPLAY_SESSION);
    replay->key = text_of(config, OPT_REPLAY_KEY);
    must(config_parse_speed(options_text(config->options, OPT_REPLAY_SPEED), &replay->speed_percent, &replay->step));
    config->replay_since_ms = options_number(config->options, OPT_REPLAY_SINCE);
}

/* A replay makes no groups: its worker names the one that it needs. */
static void fill_groups(struct config *config)
{
    size_t count = config->core.replay.on ? 0 : options_sections(config->options);
    struct span *filters = calloc(count + 1, GROUP_FILTERS_MAX * sizeof *filters);
    config->groups = calloc(count + 1, sizeof *config->groups);
    config->group_filters = filters;
    must(filters && config->groups);
    config->group_count = count;
    for (size_t i = 0; i < count; i++)
        config_group_fill(options_section(config->options, i), config->tenants[0], filters + i * GROUP_FILTERS_MAX, &config->groups[i]);
}

int config_read(int argc, char *const argv[], struct config *out)
{
    struct options *options;
    int code = options_read(&config_program, argc, argv, &options);
    if (code != OPTIONS_RUN) return code;
    *out = (struct config){ .options = options, .dev = options_true(options, OPT_DEV) };
    out->listen_count = options_count(options, OPT_LISTEN);
    for (size_t i = 0; i < out->listen_count; i++)
        out->listen[i] = options_item(options, OPT_LISTEN, i);
    const char *http = options_text(options, OPT_HTTP);
    out->http = strcmp(http, "off") == 0 ? NULL : http;
    out->tokens = options_text(options, OPT_TOKENS);
    out->curve_certificates = options_text(options, OPT_CURVE_CERTIFICATES);
    out->curve_key = options_text(options, OPT_CURVE_KEY);
    out->unsent_packets = number32(out, OPT_UNSENT_PACKETS);
    out->drain_ms = options_number(options, OPT_DRAIN);
    out->log_format = (enum journal_format)options_number(options, OPT_LOG_FORMAT);
    out->log_level = (enum journal_level)options_number(options, OPT_LOG_LEVEL);
    out->verify = options_true(options, OPT_VERIFY);
    fill_log(out);
    fill_core(out);
    fill_replay(out);
    fill_groups(out);
    return OPTIONS_RUN;
}

void config_free(struct config *config)
{
    free(config->groups);
    free(config->group_filters);
    options_destroy(&config->options);
}
