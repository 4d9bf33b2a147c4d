/* `weir worker --json-lines`: one long-lived pipe. A line per delivery on standard output, a line per verb on standard input, a line per
 * settle's answer. One thread reads and prints; the SDK's thread only queues answers, so that a reader that is slow to read us never stalls
 * the connection. Deliveries have numbers of ours: the program that holds the other end never sees a pointer. */
#include "sdk/cli/json_raw.h"
#include "sdk/cli/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 12 << 20 /* an event of 8 MiB in base64 */, CREDIT_DEFAULT = 64, CREDIT_MAX = 16384, FLUSH_MS = 10000, STOP_LOOK_MS = 500 };

struct seat { /* a delivery that was printed and is not settled */
    uint64_t id;
    weir_delivery *delivery; /* NULL: free */
};

struct answer {
    uint64_t id;
    weir_status status;
};

struct pipe {
    const struct cli *cli;
    weir_worker *worker;
    struct seat *seats;
    size_t seat_count, taken;
    uint64_t next_id;
    char *input;
    size_t input_size;
    pthread_mutex_t lock; /* over the three below */
    struct answer *answers;
    size_t answer_count, answer_room;
    int wake; /* eventfd: there are answers */
};

/* ---- answers, from the SDK's thread ---- */
static void on_settled(const weir_settled *settled, void *arg)
{
    struct pipe *pipe = arg;
    pthread_mutex_lock(&pipe->lock);
    if (pipe->answer_count == pipe->answer_room) {
        pipe->answer_room = pipe->answer_room ? pipe->answer_room * 2 : 256;
        pipe->answers = realloc(pipe->answers, pipe->answer_room * sizeof *pipe->answers);
        if (!pipe->answers) abort();
    }
    pipe->answers[pipe->answer_count++] = (struct answer){ (uint64_t)(uintptr_t)settled->user, settled->status };
    pthread_mutex_unlock(&pipe->lock);
    uint64_t one = 1;
    if (write(pipe->wake, &one, sizeof one) < 0) return; /* full: it is awake */
}

static void print_settled(uint64_t id, weir_status status)
{
    json_t *line = json_pack("{s:I,s:b}", "delivery", (json_int_t)id, "settled", (int)(status == WEIR_OK));
    if (status != WEIR_OK) json_object_set_new(line, "code", json_string(weir_status_text(status)));
    cli_json_print(line);
}

static void print_answers(struct pipe *pipe)
{
    uint64_t count;
    if (read(pipe->wake, &count, sizeof count) < 0 && errno != EAGAIN) return;
    pthread_mutex_lock(&pipe->lock);
    struct answer *answers = pipe->answers;
    size_t answer_count = pipe->answer_count;
    pipe->answers = NULL;
    pipe->answer_count = pipe->answer_room = 0;
    pthread_mutex_unlock(&pipe->lock);
    for (size_t i = 0; i < answer_count; i++)
        print_settled(answers[i].id, answers[i].status);
    free(answers);
}

/* ---- deliveries, to standard output ---- */
static void print_delivery(struct pipe *pipe, weir_delivery *delivery)
{
    const weir_event *event = weir_delivery_event(delivery);
    if (!event) {
        weir_reject(delivery, "unreadable");
        return;
    }
    size_t place = 0; /* there is a free one: we take no more than there are */
    uint64_t id = ++pipe->next_id;
    while (pipe->seats[(id + place) % pipe->seat_count].delivery)
        place++;
    id = pipe->next_id += place;
    pipe->seats[id % pipe->seat_count] = (struct seat){ id, delivery };
    pipe->taken++;
    weir_delivery_set_user(delivery, (void *)(uintptr_t)id);

    const char *event_id = weir_delivery_event_id(delivery), *token = weir_delivery_token(delivery);
    json_t *line = json_pack("{s:I}", "delivery", (json_int_t)id);
    json_t *about = cli_event_json(event, event_id, weir_delivery_seq(delivery), weir_delivery_time_ms(delivery));
    json_object_update(line, about);
    json_decref(about);
    json_object_set_new(line, "token", json_string(token));
    json_object_set_new(line, "attempt", json_integer(weir_delivery_attempt(delivery)));
    json_object_set_new(line, "lease_ms", json_integer(weir_delivery_lease_ms(delivery)));
    json_object_set_new(line, "replay", json_boolean(weir_delivery_is_replay(delivery)));
    json_object_set_new(line, "request", json_boolean(weir_delivery_is_request(delivery)));
    cli_json_line(line, event->data, event->data_size);
}

/* ---- verbs, from standard input ---- */
static void print_refusal(json_int_t id, const char *verb, const char *code, const char *message)
{
    cli_json_print(json_pack("{s:I,s:s,s:b,s:s,s:s}", "delivery", id, "verb", verb, "ok", 0, "code", code, "message", message));
}

static uint32_t number_of(const json_t *line, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(line, name));
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static const char *text_of(const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));
    return text ? text : "";
}

/* The line's data: the JSON text as it stands there, or the bytes behind data_base64 (then *out_free holds them). False: bad base64. */
static bool data_of(const json_t *line, const char *text, size_t size, const char **out_data, size_t *out_size, void **out_free)
{
    const json_t *encoded = json_object_get(line, "data_base64");
    *out_data = "";
    *out_size = 0;
    *out_free = NULL;
    if (json_is_string(encoded)) {
        *out_free = cli_base64_decode(json_string_value(encoded), json_string_length(encoded), out_size);
        *out_data = *out_free;
        return *out_free != NULL;
    }
    json_raw_member(text, size, "data", out_data, out_size);
    return true;
}

static weir_status emit(weir_delivery *delivery, const json_t *line, const char *data, size_t size)
{
    weir_event event = WEIR_EVENT_INIT;
    weir_header headers[CLI_LIST_MAX];
    const char *name;
    json_t *value;
    event.topic = text_of(line, "topic");
    event.key = text_of(line, "key");
    event.session = text_of(line, "session");
    event.token = text_of(line, "token");
    event.type = text_of(line, "event_type");
    event.content_type = text_of(line, "content_type");
    event.headers = headers;
    event.data = data;
    event.data_size = size;
    json_object_foreach(json_object_get(line, "headers"), name, value)
    {
        if (!json_is_string(value) || event.header_count == CLI_LIST_MAX) return WEIR_BAD_REQUEST;
        headers[event.header_count++] = (weir_header){ name, json_string_value(value) };
    }
    return weir_emit(delivery, &event);
}

/* Does one verb. *out_settled: it took the delivery. */
static weir_status act(const json_t *line, const char *verb, weir_delivery *delivery, const char *data, size_t size, bool *out_settled)
{
    weir_status status = WEIR_BAD_REQUEST;
    *out_settled = true;
    if (strcmp(verb, "ack") == 0) return weir_ack(delivery);
    if (strcmp(verb, "nack") == 0) return weir_nack(delivery, number_of(line, "delay_ms"), text_of(line, "reason"));
    if (strcmp(verb, "reject") == 0) return weir_reject(delivery, text_of(line, "reason"));
    if (strcmp(verb, "reply") == 0) return weir_reply(delivery, data, size);
    *out_settled = false;
    if (strcmp(verb, "extend") == 0) status = weir_extend(delivery, number_of(line, "lease_ms"));
    if (strcmp(verb, "emit") == 0) status = emit(delivery, line, data, size);
    if (strcmp(verb, "partial") == 0) status = weir_partial(delivery, data, size);
    return status;
}

static bool settles(const char *verb)
{
    return strcmp(verb, "ack") == 0 || strcmp(verb, "nack") == 0 || strcmp(verb, "reject") == 0 || strcmp(verb, "reply") == 0;
}

static void take_verb(struct pipe *pipe, const json_t *line, const char *text, size_t size)
{
    const char *verb = text_of(line, "verb"), *data;
    json_int_t id = json_integer_value(json_object_get(line, "delivery"));
    struct seat *seat = &pipe->seats[(uint64_t)id % pipe->seat_count];
    size_t data_size;
    void *bytes;
    bool settled;
    if (id <= 0 || seat->id != (uint64_t)id || !seat->delivery) {
        if (settles(verb))
            print_settled((uint64_t)id, WEIR_STALE);
        else
            print_refusal(id, verb, "stale", "no such delivery is held here");
        return;
    }
    if (!data_of(line, text, size, &data, &data_size, &bytes)) {
        print_refusal(id, verb, "bad_request", "data_base64 is not base64");
        return;
    }
    weir_status status = act(line, verb, seat->delivery, data, data_size, &settled);
    free(bytes);
    if (status == WEIR_OK && settled) {
        seat->delivery = NULL;
        pipe->taken--;
    } else if (status != WEIR_OK) {
        weir_error error;
        weir_last_error(pipe->worker, &error);
        print_refusal(id, verb, weir_status_text(status), error.status == status ? error.detail : "the delivery is still held");
    }
}

static void take_line(struct pipe *pipe, const char *text, size_t size)
{
    json_error_t error;
    if (size == 0) return;
    json_t *line = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(line))
        print_refusal(0, "", "bad_frame", line ? "the line is no JSON object" : error.text);
    else
        take_verb(pipe, line, text, size);
    json_decref(line);
}

/* False: the other end is done. */
static bool read_input(struct pipe *pipe)
{
    ssize_t got = read(STDIN_FILENO, pipe->input + pipe->input_size, LINE_MAX_BYTES - pipe->input_size);
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    if (got == 0) return false;
    pipe->input_size += (size_t)got;
    char *start = pipe->input, *end = pipe->input + pipe->input_size, *stop;
    while ((stop = memchr(start, '\n', (size_t)(end - start))) != NULL) {
        size_t size = (size_t)(stop - start);
        take_line(pipe, start, size > 0 && start[size - 1] == '\r' ? size - 1 : size);
        start = stop + 1;
    }
    pipe->input_size = (size_t)(end - start);
    memmove(pipe->input, start, pipe->input_size);
    if (pipe->input_size < LINE_MAX_BYTES) return true;
    cli_fail("a line on standard input is over %d bytes", LINE_MAX_BYTES);
    return false;
}

/* Until a signal, the end of standard input, or a refusal for good. */
static weir_status work(struct pipe *pipe)
{
    int ready = weir_worker_fd(pipe->worker);
    for (;;) {
        bool room = pipe->taken < pipe->seat_count;
        struct pollfd fds[3] = { { .fd = STDIN_FILENO, .events = POLLIN },
                                 { .fd = pipe->wake, .events = POLLIN },
                                 { .fd = room ? ready : -1, .events = POLLIN } };
        if (cli_stopping()) return WEIR_OK;
        if (poll(fds, 3, STOP_LOOK_MS) < 0 && errno != EINTR) return WEIR_SYSTEM;
        if (fds[1].revents) print_answers(pipe);
        for (weir_delivery *delivery; pipe->taken < pipe->seat_count;) {
            weir_status status = weir_worker_next(pipe->worker, 0, &delivery);
            if (status == WEIR_TIMED_OUT) break;
            if (status != WEIR_OK) return status;
            print_delivery(pipe, delivery);
        }
        if (ferror(stdout)) return WEIR_CLOSED; /* nobody reads on */
        if (fds[0].revents && !read_input(pipe)) return WEIR_OK;
    }
}

int cli_work_lines(struct cli_working *working)
{
    weir_worker_options *options = &working->options;
    struct pipe pipe = { .cli = working->cli, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (options->credit == 0) options->credit = CREDIT_DEFAULT;
    if (options->credit > CREDIT_MAX) options->credit = CREDIT_MAX;
    pipe.seat_count = options->credit;
    pipe.seats = calloc(pipe.seat_count, sizeof *pipe.seats);
    pipe.input = malloc(LINE_MAX_BYTES);
    if (!pipe.seats || !pipe.input || pipe.wake < 0) return cli_fail("out of memory or descriptors");
    options->on_settled = on_settled;
    options->arg = &pipe;

    weir_status status = weir_worker_open(options, &pipe.worker);
    int code = CLI_OK;
    if (status != WEIR_OK) {
        code = cli_report(working->cli, NULL, status);
    } else {
        cli_stop_on_signal(pipe.worker);
        status = work(&pipe);
        if (status != WEIR_OK && status != WEIR_CLOSED) code = cli_report(working->cli, pipe.worker, status);
        cli_stop_on_signal(NULL);
        if (code == CLI_OK) weir_worker_flush(pipe.worker, FLUSH_MS);
        weir_worker_close(&pipe.worker);
        print_answers(&pipe);
    }
    free(pipe.answers);
    free(pipe.seats);
    free(pipe.input);
    close(pipe.wake);
    return code;
}
