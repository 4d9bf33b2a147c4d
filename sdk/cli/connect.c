/* The SDK as the verbs use it: connection options, errors, an event's options and its JSON. */
#include "sdk/cli/cli.h"

#include <czmq.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = 16 << 20 };

int cli_load_certificate(struct cli *cli)
{
    if (!cli->certificate) return -1;
    zsys_handler_set(NULL); /* CZMQ would take SIGINT and SIGTERM from us */
    zcert_t *cert = zcert_load(cli->certificate);
    if (!cert) return cli_fail("cannot read the certificate %s, or its _secret file", cli->certificate);
    snprintf(cli->public_key, sizeof cli->public_key, "%s", zcert_public_txt(cert));
    snprintf(cli->secret_key, sizeof cli->secret_key, "%s", zcert_secret_txt(cert));
    zcert_destroy(&cert);
    if (!cli->server_key) return cli_fail("a certificate needs --server-key as well: the coordinator's public key");
    return -1;
}

void cli_on_log(weir_log_level level, const char *text, void *arg)
{
    (void)arg;
    if (level >= WEIR_LOG_WARNING) fprintf(stderr, "weir: %s\n", text);
}

int cli_report(const struct cli *cli, const void *handle, weir_status status)
{
    weir_error error;
    weir_last_error(handle, &error);
    if (error.status != status) error = (weir_error){ .status = status, .word = weir_status_text(status) };
    if (cli->json) {
        json_t *line = json_pack("{s:s,s:s}", "type", "error", "code", error.word);
        cli_json_bytes(line, "message", error.detail, strlen(error.detail));
        if (error.retry_ms) json_object_set_new(line, "retry_ms", json_integer(error.retry_ms));
        cli_json_print(line);
    }
    if (error.detail[0]) return cli_fail("%s: %s", error.word, error.detail);
    return cli_fail("%s (weir help error %s)", error.word, error.word);
}

int cli_event_fill(const struct cli_verb *verb, struct cli_event_options *options, weir_event *event)
{
    for (size_t i = 0; i < options->headers.count; i++) {
        char *name = (char *)(uintptr_t)options->headers.items[i]; /* an argument of ours: may be cut */
        char *equals = strchr(name, '=');
        if (!equals || equals == name) return cli_usage(verb, "--header takes NAME=VALUE, not '%s'", name);
        *equals = '\0';
        options->parsed[i] = (weir_header){ .name = name, .value = equals + 1 };
    }
    event->key = options->key;
    event->session = options->session;
    event->token = options->token;
    event->type = options->type;
    event->content_type = options->content_type;
    event->traceparent = options->traceparent;
    event->ttl_ms = options->ttl_ms;
    event->delay_ms = options->delay_ms;
    event->semantics = options->at_most_once ? WEIR_AT_MOST_ONCE : WEIR_AT_LEAST_ONCE;
    if (options->not_before) {
        struct cli_place place;
        if (!strchr(options->not_before, 'T') || !cli_place(options->not_before, &place))
            return cli_usage(verb, "--not-before takes a time, such as 2026-11-27T18:00:00Z, not '%s'", options->not_before);
        event->not_before_ms = place.value;
    }
    event->priority = options->priority > 3 ? 4 : (uint32_t)options->priority;
    event->headers = options->parsed;
    event->header_count = options->headers.count;
    return -1;
}

/* All of a file descriptor. NULL: it cannot be read, or is more than `most` bytes (said). */
static char *read_all(int fd, size_t most, size_t *out_size)
{
    size_t size = 0, room = 65536;
    char *bytes = malloc(room);
    for (;;) {
        if (!bytes) abort();
        ssize_t got = read(fd, bytes + size, room - size);
        if (got == 0) break;
        if (got < 0 && errno == EINTR && !cli_stopping()) continue;
        if (got < 0) {
            cli_fail("cannot read: %s", strerror(errno));
            free(bytes);
            return NULL;
        }
        size += (size_t)got;
        if (size > most) {
            cli_fail("the input is over %zu bytes", most);
            free(bytes);
            return NULL;
        }
        if (size == room) bytes = realloc(bytes, room *= 2);
    }
    *out_size = size;
    return bytes;
}

bool cli_event_data(const struct cli_args *args, weir_event *event, char **out_input)
{
    *out_input = NULL;
    if (args->count > 1) {
        event->data = args->items[1];
        event->data_size = strlen(args->items[1]);
        return true;
    }
    event->data = *out_input = read_all(STDIN_FILENO, INPUT_MAX, &event->data_size);
    return *out_input != NULL;
}

json_t *cli_event_json(const weir_event *event, const char *event_id, uint64_t seq, uint64_t time_ms)
{
    json_t *line = json_object();
    char time[32];
    cli_time(time_ms, time);
    cli_json_bytes(line, "topic", event->topic, strlen(event->topic));
    cli_json_bytes(line, "event", event_id, strlen(event_id));
    json_object_set_new(line, "seq", json_integer((json_int_t)seq));
    json_object_set_new(line, "time", json_string(time));
    cli_json_bytes(line, "key", event->key, strlen(event->key));
    cli_json_bytes(line, "session", event->session, strlen(event->session));
    cli_json_bytes(line, "token", event->token, strlen(event->token));
    cli_json_bytes(line, "event_type", event->type, strlen(event->type));
    cli_json_bytes(line, "content_type", event->content_type, strlen(event->content_type));
    cli_json_bytes(line, "traceparent", event->traceparent, strlen(event->traceparent));
    if (event->header_count > 0) {
        json_t *headers = json_object();
        for (size_t i = 0; i < event->header_count; i++)
            json_object_set_new(headers, event->headers[i].name, json_string(event->headers[i].value));
        json_object_set_new(line, "headers", headers);
    }
    return line;
}
