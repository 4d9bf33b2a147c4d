/* `weir request`: asks the workers; pieces of the answer are printed as they come, the final answer last. */
#include "sdk/cli/cli.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 200, GRACE_MS = 2000 };

static const char *kind_word(weir_answer_kind kind)
{
    return kind == WEIR_ANSWER_PARTIAL ? "partial" : kind == WEIR_ANSWER_REPLY ? "reply" : "error";
}

static void print_json(const weir_answer *answer)
{
    json_t *line = json_pack("{s:s}", "type", kind_word(answer->kind));
    if (answer->kind == WEIR_ANSWER_PARTIAL) {
        json_object_set_new(line, "attempt", json_integer(answer->attempt));
        json_object_set_new(line, "index", json_integer(answer->index));
    } else if (answer->seq) {
        json_object_set_new(line, "seq", json_integer((json_int_t)answer->seq));
    }
    if (answer->kind == WEIR_ANSWER_ERROR) json_object_set_new(line, "code", json_string(weir_status_text(answer->status)));
    cli_json_line(line, answer->data, answer->data_size);
}

/* What comes after a retry begins anew: said, since what was printed cannot be taken back. */
static void print_plain(const weir_answer *answer, uint32_t *attempt)
{
    if (answer->kind == WEIR_ANSWER_PARTIAL && answer->attempt != *attempt) {
        if (*attempt != 0) fprintf(stderr, "weir: attempt %u begins anew\n", answer->attempt);
        *attempt = answer->attempt;
    }
    if (answer->kind == WEIR_ANSWER_ERROR) {
        fprintf(stderr, "weir: %s", weir_status_text(answer->status));
        if (answer->data_size > 0) fputs(": ", stderr);
        fwrite(answer->data, 1, answer->data_size, stderr);
        fputc('\n', stderr);
        return;
    }
    fwrite(answer->data, 1, answer->data_size, stdout);
    putchar('\n');
    fflush(stdout);
}

static int read_answers(const struct cli *cli, weir_publisher *publisher, weir_request_call *call, uint64_t deadline_ns)
{
    uint32_t attempt = 0;
    for (;;) {
        const weir_answer *answer = NULL;
        weir_status status = weir_request_next(call, LOOK_MS, &answer);
        if (cli_stopping()) {
            weir_request_cancel(call);
            return cli_fail("cancelled");
        }
        if (status == WEIR_TIMED_OUT && cli_now_ns() < deadline_ns) continue;
        if (status != WEIR_OK) return cli_report(cli, publisher, status);
        if (cli->json)
            print_json(answer);
        else
            print_plain(answer, &attempt);
        if (answer->kind == WEIR_ANSWER_REPLY) return CLI_OK;
        if (answer->kind == WEIR_ANSWER_ERROR) return CLI_FAILED;
    }
}

static int ask(const struct cli *cli, const weir_event *event, uint32_t timeout_ms)
{
    weir_publisher_options options = WEIR_PUBLISHER_OPTIONS_INIT;
    CLI_CONNECT(cli, options);
    options.connect_timeout_ms = CLI_CONNECT_MS;
    weir_publisher *publisher = NULL;
    weir_status status = weir_publisher_open(&options, &publisher);
    if (status != WEIR_OK) return cli_report(cli, NULL, status);

    weir_request_call *call = NULL;
    int code = CLI_FAILED;
    cli_catch_signals();
    status = weir_request(publisher, event, timeout_ms, &call);
    if (status != WEIR_OK)
        code = cli_report(cli, publisher, status);
    else
        code = read_answers(cli, publisher, call, cli_now_ns() + (timeout_ms + (uint64_t)GRACE_MS) * 1000000U);
    weir_request_close(&call);
    weir_publisher_close(&publisher);
    return code;
}

int cli_request(struct cli *cli, const struct cli_verb *verb, int argc, char **argv)
{
    uint64_t timeout_ms = 30000;
    struct cli_event_options fields = { 0 };
    const struct cli_option options[] = {
        { "timeout-ms", CLI_NUMBER, &timeout_ms, "MS to wait for the final answer (30000)" },
        CLI_EVENT_OPTIONS(fields),
        { NULL, CLI_FLAG, NULL, NULL },
    };
    struct cli_args args;
    int code = cli_parse(cli, verb, options, argc, argv, 1, 2, &args);
    if (code >= 0) return code;
    if (timeout_ms == 0 || timeout_ms > 3600000) return cli_usage(verb, "--timeout-ms goes from 1 to 3600000");
    weir_event event = WEIR_EVENT_INIT;
    event.topic = args.items[0];
    code = cli_event_fill(verb, &fields, &event);
    if (code >= 0) return code;

    char *input;
    if (!cli_event_data(&args, &event, &input)) return CLI_FAILED;
    code = ask(cli, &event, (uint32_t)timeout_ms);
    free(input);
    return code;
}
