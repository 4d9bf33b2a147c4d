/* `weir help error CODE`: what an error word means, whether trying again helps, what to do. The words are those of PROTOCOL.md. */
#include "sdk/cli/cli.h"

#include <string.h>

struct error_help {
    const char *word;
    const char *again; /* does the same call help later? */
    const char *text;
};

static const struct error_help words[] = {
    { "bad_frame", "no",
      "The bytes were no message at all: broken JSON, no Packet, or sizes that do not add up. A bug in the client that sent them." },
    { "bad_request", "no",
      "The message was read but does not fit: a topic with empty words, a filter where a topic belongs, a field over its limit." },
    { "bad_version", "no", "Coordinator and client speak different versions of the protocol. Bring both to the same release." },
    { "unauthorized", "no",
      "No credential, a wrong one, or one that has expired. Give --credential or WEIR_CREDENTIAL, or a CURVE certificate (weir keys)." },
    { "forbidden", "no",
      "The credential is good but not for this: another tenant, a role it lacks, a topic that begins with $, somebody else's inbox." },
    { "not_found", "no", "No such tenant, group or subscription." },
    { "too_large", "no",
      "Event, frame or settle over its limit (an event, emit or answer: [peers] max_event_bytes, a partial: 64 KiB). Store the content elsewhere and "
      "send where it is." },
    { "throttled", "yes", "Too many at once from here. Wait retry_ms, then send it again." },
    { "overloaded", "yes",
      "A queue or the disk is full. Wait retry_ms; look at `weir stats` and at the free space of the data directory." },
    { "no_worker", "later",
      "A request to a topic that no group of the tenant listens to. Start a worker whose filter matches; see `weir groups`." },
    { "timeout", "yes",
      "No answer in time. For a request: the worker is slow or has gone; its event is still handled. For a lease: the worker held it too "
      "long." },
    { "cancelled", "no", "The requester took it back." },
    { "expired", "no", "The event's time to live was over before a worker took it." },
    { "stale", "no",
      "The lease or number is from before: the lease ended and the event belongs to another attempt now, or this number was refused "
      "before." },
    { "conflict", "no",
      "Something else stands there: the group exists with other filters or options, or a newer connection of the same instance replaced "
      "this." },
    { "credit_exceeded", "no", "The client sent more than it was allowed. The SDK never does; a bug in a hand-written client." },
    { "breaker_open", "later", "Workers of this group failed too often; the group rests for a while." },
    { "draining", "yes", "The coordinator or gateway is shutting down. Clients reconnect by themselves; send it again then." },
    { "moved", "yes", "The tenant is served elsewhere; the answer names the endpoints." },
    { "gone", "no", "What was asked for has left the window of stored events, or the outcome of an old publish is no longer known." },
    { "unsupported", "no", "Known to the protocol but not served by this release." },
    { "internal", "maybe", "A fault of weir itself. Please report it with the coordinator's log." },
};

static void print_one(const struct cli *cli, const struct error_help *help)
{
    if (cli->json) {
        cli_json_print(json_pack("{s:s,s:s,s:s}", "code", help->word, "again", help->again, "text", help->text));
        return;
    }
    printf("%s%s%s\n  %s\n  Trying again helps: %s.\n", cli->colour ? "\033[1m" : "", help->word, cli->colour ? "\033[0m" : "", help->text,
           help->again);
}

int cli_help_error(const struct cli *cli, const char *code)
{
    bool found = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (code && strcmp(code, words[i].word) != 0) continue;
        print_one(cli, &words[i]);
        found = true;
    }
    if (!found) return cli_fail("no error is called '%s'; `weir help error` lists all", code);
    return CLI_OK;
}
