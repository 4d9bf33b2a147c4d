/* The weir command. One verb per file; this page is what they share: the table of verbs, options, output, child processes.
 * Built on the public headers of the SDK only (plus jansson, and CZMQ for `keys`), so that it is also the proof that they suffice.
 *
 * Exit codes: 0 fine, 1 failed, 2 wrong usage. Results go to standard output, everything else to standard error. */
#ifndef WEIR_CLI_H
#define WEIR_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <weir/weir.h>

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* What every verb takes. Strings are lent for the life of the process; NULL = not given. */
struct cli {
    const char *directory; /* where this executable stands; its sister programs stand beside it */
    const char *endpoint;  /* --endpoint, WEIR_ENDPOINT; else the default address */
    const char *tenant;    /* --tenant, WEIR_TENANT */
    const char *credential;
    const char *certificate;             /* --certificate, WEIR_CERTIFICATE: CURVE, as `weir keys` makes them */
    const char *server_key;              /* --server-key, WEIR_SERVER_KEY */
    char public_key[41], secret_key[41]; /* read from the certificate */
    bool json;
    bool colour; /* standard output is a terminal and NO_COLOR is not set */
};

struct cli_verb {
    const char *name;
    const char *form;                                                                /* what stands behind the name in the help */
    const char *about;                                                               /* one line */
    int (*run)(struct cli *cli, const struct cli_verb *verb, int argc, char **argv); /* argv without the verb itself; enum cli_exit */
};

int cli_publish(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_subscribe(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_worker(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_request(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_tail(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_dlq(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_group(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_why(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_groups(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_stats(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_replay(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_verify(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_bench(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_simtest(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_dev(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_keys(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_help(struct cli *cli, const struct cli_verb *verb, int argc, char **argv);
int cli_help_error(const struct cli *cli, const char *code); /* NULL: lists all */

/* ---- options.c: one table per verb does the parsing and the help ---- */
enum { CLI_LIST_MAX = 64 };

struct cli_list {
    const char *items[CLI_LIST_MAX];
    size_t count;
};

enum cli_kind {
    CLI_FLAG,   /* bool * */
    CLI_TEXT,   /* const char ** */
    CLI_NUMBER, /* uint64_t * */
    CLI_LIST    /* struct cli_list *; may be repeated */
};

struct cli_option {
    const char *name; /* without the dashes; NULL ends the table */
    enum cli_kind kind;
    void *value;
    const char *text; /* for the help; begins with the name of the value, "MS what it is" */
};

struct cli_args {
    char **items; /* what is no option, in order; what follows `--` too */
    int count;
    char **command; /* what follows `--`, NULL-terminated; NULL without `--`. Not counted in items. */
};

/* Parses in place, common options too, anywhere before `--`. Returns -1 when the verb is to go on, else what the program exits with
 * (after --help 0; after a mistake, which was named on standard error, 2). min and max bound the number of items. */
int cli_parse(struct cli *cli, const struct cli_verb *verb, const struct cli_option *options, int argc, char **argv, int min, int max,
              struct cli_args *out_args);
int cli_usage(const struct cli_verb *verb, const char *format, ...) __attribute__((format(printf, 2, 3))); /* says it; returns 2 */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));                               /* says it; returns 1 */
bool cli_number(const char *text, uint64_t *out_value);                                                    /* decimal, whole, in range */

/* ---- output.c ---- */

/* Adds bytes as a string, or nothing when size is 0. Bytes that are not UTF-8 become null. */
void cli_json_bytes(json_t *object, const char *name, const void *bytes, size_t size);
/* Prints the object as one line and releases it. Data that is JSON is spliced in as it came, as "data" (line breaks between its tokens
 * become spaces); other data stands in "data_base64"; no data, no member. */
void cli_json_line(json_t *object, const void *data, size_t size);
/* The same without data. */
void cli_json_print(json_t *object);
/* For people: data as text if it is printable UTF-8, else its size; at most `most` bytes. */
void cli_print_data(FILE *to, const void *data, size_t size, size_t most);
/* "2026-11-24T20:15:03.123Z" */
void cli_time(uint64_t unix_ms, char out_text[32]);
/* "--since": an event id, a seq, `start`, an ISO 8601 time or a length of time back from now ("15m"). False: none of these. */
struct cli_place {
    enum { CLI_PLACE_ID, CLI_PLACE_SEQ, CLI_PLACE_START, CLI_PLACE_TIME } kind;
    const char *id;
    uint64_t value; /* seq, or Unix ms */
};
bool cli_place(const char *text, struct cli_place *out_place);

/* Columns for people: as wide as their widest cell, numbers to the right. Cells are copied. */
struct cli_table;
struct cli_table *cli_table_new(const char *const *heads, size_t columns); /* a head that ends in ':' is a number's column */
void cli_table_cell(struct cli_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_table_print(struct cli_table *table, const struct cli *cli); /* and releases it */

char *cli_base64(const void *data, size_t size);                          /* gives a string */
void *cli_base64_decode(const char *text, size_t size, size_t *out_size); /* gives; NULL: not base64 */

/* ---- process.c ---- */

/* SIGINT and SIGTERM set a flag instead of ending the program. */
void cli_catch_signals(void);
bool cli_stopping(void);
void cli_stop(void);        /* sets it; also from a signal handler */
uint64_t cli_now_ns(void);  /* monotonic */
uint64_t cli_wall_ms(void); /* Unix */

struct cli_child {
    pid_t pid; /* 0: none */
    const char *name;
    char log[512]; /* what it says goes here; empty: to ours */
};

/* Starts argv (argv[0] with a '/' is a path, else PATH is searched), which dies with us. log: file for its standard error and output, or
 * NULL. */
int cli_spawn(struct cli_child *child, const char *name, char *const argv[], const char *log);
/* Starts a sister program from our directory. */
int cli_spawn_sister(const struct cli *cli, struct cli_child *child, const char *program, char *const argv[], const char *log);
/* Waits until the log has its ready line, and gives what that says of key ("listen"). Fails (and says why) when the child ends or at the
 * deadline. */
int cli_child_ready(struct cli_child *child, const char *key, char *out_value, size_t room);
/* Has it ended? *out_status as waitpid's. */
bool cli_child_ended(struct cli_child *child, int *out_status);
/* SIGTERM, then SIGKILL after 10 s; collects it. */
void cli_child_stop(struct cli_child *child);
void cli_show_log(const struct cli_child *child, int lines);

/* ---- connect.c: the SDK as the verbs use it ---- */
enum { CLI_CONNECT_MS = 10000, CLI_EVENT_BYTES_MAX = 64 << 20 /* whatever the coordinator takes */ };

/* Reads the certificate, if one was named. Returns -1 to go on, else the exit code. */
int cli_load_certificate(struct cli *cli);

/* Fills what the options of every handle share. */
#define CLI_CONNECT(cli, options)                                                                                                          \
    ((options).endpoint = (cli)->endpoint, (options).tenant = (cli)->tenant, (options).credential = (cli)->credential,                     \
     (options).name = "weir", (options).server_key = (cli)->server_key,                                                                    \
     (options).public_key = (cli)->public_key[0] ? (cli)->public_key : NULL,                                                               \
     (options).secret_key = (cli)->secret_key[0] ? (cli)->secret_key : NULL, (options).on_log = cli_on_log)

/* Warnings and worse to standard error. */
void cli_on_log(weir_log_level level, const char *text, void *arg);
/* Says why a call failed (handle NULL: a failed open) in one line, or in --json as an object; returns CLI_FAILED. */
int cli_report(const struct cli *cli, const void *handle, weir_status status);
/* The options of an event: --key --session --token --type --content-type --ttl-ms --priority --traceparent --header. */
struct cli_event_options {
    const char *key, *session, *token, *type, *content_type, *traceparent;
    uint64_t ttl_ms, delay_ms, priority;
    const char *not_before;
    bool at_most_once;
    struct cli_list headers; /* k=v */
    weir_header parsed[CLI_LIST_MAX];
};
#define CLI_EVENT_OPTIONS(o)                                                                                                               \
    { "key", CLI_TEXT, &(o).key, "TEXT what the event is about" }, { "session", CLI_TEXT, &(o).session, "TEXT the conversation" },         \
        { "token", CLI_TEXT, &(o).token, "TEXT idempotency: accepted once in 10 minutes" },                                                \
        { "type", CLI_TEXT, &(o).type, "TEXT the event's type" }, { "content-type", CLI_TEXT, &(o).content_type, "TEXT of the data" },     \
        { "traceparent", CLI_TEXT, &(o).traceparent, "TEXT W3C trace context" },                                                           \
        { "priority", CLI_NUMBER, &(o).priority, "N 0 to 3; a higher one goes first in its group" },                                       \
        { "ttl-ms", CLI_NUMBER, &(o).ttl_ms, "MS not delivered when older (0 = no limit)" },                                               \
        { "delay-ms", CLI_NUMBER, &(o).delay_ms, "MS not shown before it is so old" },                                                     \
        { "not-before", CLI_TEXT, &(o).not_before, "TIME not shown before it" },                                                           \
        { "at-most-once", CLI_FLAG, &(o).at_most_once, "offered once, at once, to who is there" },                                         \
    {                                                                                                                                      \
        "header", CLI_LIST, &(o).headers, "K=V may be repeated"                                                                            \
    }
/* Writes the options into the event. Returns -1 to go on, else the exit code. The header texts are cut in place. */
int cli_event_fill(const struct cli_verb *verb, struct cli_event_options *options, weir_event *event);
/* The event's data: DATA behind its topic, else all of standard input, which is to be freed after the event (*out_input; NULL: nothing).
 * False: that cannot be read, or is too much (said). */
bool cli_event_data(const struct cli_args *args, weir_event *event, char **out_input);
/* An event as a JSON object, without its data: topic event seq time key session token event_type content_type headers, as far as it has
 * them. */
json_t *cli_event_json(const weir_event *event, const char *event_id, uint64_t seq, uint64_t time_ms);

#endif
