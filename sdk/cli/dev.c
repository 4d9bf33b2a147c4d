/* `weir dev`: coordinator, gateway and an echo worker at once, on loopback, for trying. The echo worker is this process; the others are
 * children that die with it. */
#include "sdk/cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_MS = 200, PATH_ROOM = 3072 };

struct stand {
    const struct cli *cli;
    const char *listen, *metrics, *http; /* as wanted; port 0 takes a free one */
    char directory[PATH_ROOM];
    struct cli_child coordinator, gateway;
    char endpoint[256], page[256];
};

static int start_coordinator(struct stand *stand)
{
    char data[PATH_ROOM + 32], log[PATH_ROOM + 32];
    snprintf(data, sizeof data, "%s/data", stand->directory);
    snprintf(log, sizeof log, "%s/coordinator.log", stand->directory);
    char *const argv[] = { "weir-coordinator",
                           "--dev",
                           "--data",
                           data,
                           "--listen",
                           (char *)(uintptr_t)stand->listen,
                           "--http",
                           (char *)(uintptr_t)stand->metrics,
                           NULL };
    int code = cli_spawn_sister(stand->cli, &stand->coordinator, "weir-coordinator", argv, log);
    if (code != CLI_OK) return code;
    return cli_child_ready(&stand->coordinator, "listen", stand->endpoint, sizeof stand->endpoint);
}

static int start_gateway(struct stand *stand)
{
    char log[PATH_ROOM + 32];
    snprintf(log, sizeof log, "%s/gateway.log", stand->directory);
    char *const argv[] = { "weir-gateway", "--dev", "--listen", (char *)(uintptr_t)stand->http, "--coordinator", stand->endpoint, NULL };
    int code = cli_spawn_sister(stand->cli, &stand->gateway, "weir-gateway", argv, log);
    if (code != CLI_OK) return code;
    return cli_child_ready(&stand->gateway, "listen", stand->page, sizeof stand->page);
}

/* Answers each request on echo.> with its own data. */
static void echo(weir_delivery *delivery)
{
    const weir_event *event = weir_delivery_event(delivery);
    weir_status status =
        event && weir_delivery_is_request(delivery) ? weir_reply(delivery, event->data, event->data_size) : weir_ack(delivery);
    if (status != WEIR_OK) weir_reject(delivery, weir_status_text(status));
}

static int run_echo(struct stand *stand, weir_worker *worker)
{
    int status = 0;
    while (!cli_stopping()) {
        weir_delivery *delivery = NULL;
        weir_status got = weir_worker_next(worker, LOOK_MS, &delivery);
        if (got == WEIR_OK) echo(delivery);
        if (got != WEIR_OK && got != WEIR_TIMED_OUT) return cli_report(stand->cli, worker, got);
        struct cli_child *dead = cli_child_ended(&stand->coordinator, &status) ? &stand->coordinator
                                 : cli_child_ended(&stand->gateway, &status)   ? &stand->gateway
                                                                               : NULL;
        if (dead) {
            cli_show_log(dead, 15);
            return cli_fail("%s has ended", dead->name);
        }
    }
    return CLI_OK;
}

static void say_hello(const struct stand *stand)
{
    if (stand->cli->json) {
        cli_json_print(json_pack("{s:s,s:s,s:s,s:s}", "event", "ready", "endpoint", stand->endpoint, "page", stand->page, "directory",
                                 stand->directory));
        return;
    }
    printf("weir is running; data and logs are in %s\n"
           "  open   http://%s/\n"
           "  try    weir --help; weir request echo.hello '\"hello\"'\n"
           "  env    WEIR_ENDPOINT=%s WEIR_TENANT=dev\n"
           "Ctrl-C stops it all.\n",
           stand->directory, stand->page, stand->endpoint);
    fflush(stdout);
}

static int run_stand(struct stand *stand)
{
    static const char *const topics[] = { "echo.>" };
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    weir_worker *worker = NULL;
    int code = start_coordinator(stand);
    if (code == CLI_OK) code = start_gateway(stand);
    if (code != CLI_OK) return code;
    options.endpoint = stand->endpoint;
    options.tenant = stand->cli->tenant ? stand->cli->tenant : "dev";
    options.name = "echo";
    options.group = "echo";
    options.topics = topics;
    options.topic_count = 1;
    options.connect_timeout_ms = CLI_CONNECT_MS;
    options.on_log = cli_on_log;
    weir_status status = weir_worker_open(&options, &worker);
    if (status != WEIR_OK) return cli_report(stand->cli, NULL, status);
    say_hello(stand);
    code = run_echo(stand, worker);
    weir_worker_close(&worker);
    return code;
}

int cli_dev(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    struct stand stand = { .cli = cli, .listen = "tcp://127.0.0.1:7400", .metrics = "127.0.0.1:7401", .http = "127.0.0.1:7480" };
    const char *data = ".weir-dev";
    bool free_ports = false;
    const struct cli_option options[] = {
        { "data", CLI_TEXT, &data, "DIR for the log and what the programs say (.weir-dev)" },
        { "free-ports", CLI_FLAG, &free_ports, "take free ports instead of 7400, 7401 and 7480" },
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 0, 0, &args);
    if (code >= 0) return code;
    if (free_ports) {
        stand.listen = "tcp://127.0.0.1:0";
        stand.metrics = stand.http = "127.0.0.1:0";
    }
    if (mkdir(data, 0755) != 0 && errno != EEXIST) return cli_fail("cannot make %s: %s", data, strerror(errno));
    if (strlen(data) >= sizeof stand.directory) return cli_usage(verb, "--data is too long");
    snprintf(stand.directory, sizeof stand.directory, "%s", data);
    cli_catch_signals();
    code = run_stand(&stand);
    cli_child_stop(&stand.gateway); /* the coordinator last: the gateway says goodbye to it */
    cli_child_stop(&stand.coordinator);
    return code;
}
