/* A worker with real work: it answers documents with their key sentences and key words (samples/summarize says how), and shows what it
 * knows as soon as it knows it.
 *
 * Takes events of `docs.*.summarize`. Their data is {"title": "…", "text": "…", "sentences": 5}, of which only "text" is needed, or a JSON
 * string, or plain text in UTF-8. To a request it answers with partials,
 *     {"stage":"read","sentences":148,"words":3332,…}      {"stage":"ranked","edges":374,…}
 *     {"stage":"keywords","keywords":[{"text":"nations","rank":1.0,"count":36},…]}
 *     {"stage":"sentence","sentence":94,"rank":1.0,"at":11873,"size":118,"text":"…"}   one for each, the best first; at and size are bytes
 * and the reply {"title","sentences","words","summary":[the sentences in the order of the document],"keywords","took_ms"}.
 * With every settle it emits the same as an event, `docs.<id>.summarized`; both are committed or neither. What cannot be summarized is
 * rejected with the reason. */
#include <jansson.h>
#include <weir/weir.h>

#include "samples/summarize/summary.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEYWORDS = 12, REASON_ROOM = 160 };

/* What the event asks for. Text and title are lent by the event or by `json`. */
struct document {
    json_t *json; /* NULL: plain text */
    const char *title, *text;
    size_t size;
    uint32_t sentences; /* 0: as many as the summarizer finds right */
};

/* One delivery under way. */
struct job {
    weir_delivery *delivery;
    const weir_event *event;
    struct document document;
    summary *summary;
    struct timespec start;
    char reason[REASON_ROOM]; /* why it is rejected; "" as long as all is well */
};

static weir_worker *worker;

static double took_ms(const struct job *job)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - job->start.tv_sec) * 1e3 + (double)(now.tv_nsec - job->start.tv_nsec) / 1e6;
}

static char *encode(json_t *value)
{
    return json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(5));
}

/* Takes the value. A piece that cannot be sent is no harm: the reply has it all. */
static void send_partial(const struct job *job, json_t *value)
{
    char *text = weir_delivery_is_request(job->delivery) ? encode(value) : NULL;
    if (text != NULL) weir_partial(job->delivery, text, strlen(text));
    free(text);
    json_decref(value);
}

static bool refuse(struct job *job, const char *reason)
{
    snprintf(job->reason, sizeof job->reason, "%s", reason);
    return false;
}

static bool still_wanted(struct job *job)
{
    return weir_cancelled(job->delivery) ? refuse(job, "cancelled") : true;
}

static bool read_object(struct job *job, const json_t *object)
{
    struct document *d = &job->document;
    const json_t *text = json_object_get(object, "text"), *title = json_object_get(object, "title");
    const json_t *sentences = json_object_get(object, "sentences");
    if (!json_is_string(text)) return refuse(job, "\"text\" is missing or not a string");
    if (title != NULL && !json_is_string(title)) return refuse(job, "\"title\" is not a string");
    if (sentences != NULL) {
        json_int_t n = json_integer_value(sentences);
        if (n < 1 || n > SUMMARY_PICKS_MAX) return refuse(job, "\"sentences\" is not a whole number from 1 to 20");
        d->sentences = (uint32_t)n;
    }
    d->title = title == NULL ? "" : json_string_value(title);
    d->text = json_string_value(text);
    d->size = json_string_length(text);
    return true;
}

/* JSON is what calls itself so or begins as an object; a string too, if it is one. All else is the text itself. */
static bool read_document(struct job *job)
{
    struct document *d = &job->document;
    if (job->event == NULL) return refuse(job, "the event cannot be read");
    d->title = "";
    d->text = job->event->data;
    d->size = job->event->data_size;
    bool declared = strstr(job->event->content_type, "json") != NULL;
    bool object = d->size > 0 && d->text[0] == '{' && strncmp(job->event->content_type, "text/", 5) != 0;
    if (!declared && !object && (d->size == 0 || d->text[0] != '"')) return true;

    json_error_t error;
    d->json = json_loadb(d->text, d->size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (d->json == NULL && (declared || object)) {
        snprintf(job->reason, sizeof job->reason, "the data is not valid JSON: %.100s", error.text);
        return false;
    }
    if (json_is_string(d->json)) {
        d->text = json_string_value(d->json);
        d->size = json_string_length(d->json);
        return true;
    }
    return d->json == NULL ? true : read_object(job, d->json);
}

static bool open_summary(struct job *job)
{
    summary_status status = summary_open(job->document.text, job->document.size, &job->summary);
    if (status != SUMMARY_OK) return refuse(job, summary_status_text(status));
    struct summary_counts c = summary_counts(job->summary);
    send_partial(job, json_pack("{s:s, s:I, s:I, s:I, s:I, s:f}", "stage", "read", "sentences", (json_int_t)c.sentences, "words",
                                (json_int_t)c.words, "terms", (json_int_t)c.terms, "paragraphs", (json_int_t)c.paragraphs, "took_ms",
                                took_ms(job)));
    return still_wanted(job);
}

static bool rank_summary(struct job *job)
{
    summary_status status = summary_rank(job->summary);
    if (status != SUMMARY_OK) return refuse(job, summary_status_text(status));
    struct summary_counts c = summary_counts(job->summary);
    send_partial(job, json_pack("{s:s, s:I, s:I, s:f}", "stage", "ranked", "edges", (json_int_t)c.edges, "iterations",
                                (json_int_t)c.iterations, "took_ms", took_ms(job)));
    return still_wanted(job);
}

/* The key words as a JSON array, or NULL (then job->reason is set). */
static json_t *find_keywords(struct job *job)
{
    struct keyword words[KEYWORDS];
    uint32_t count = 0;
    summary_status status = summary_keywords(job->summary, words, KEYWORDS, &count);
    if (status != SUMMARY_OK) {
        refuse(job, summary_status_text(status));
        return NULL;
    }
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:f, s:I}", "text", words[i].text, "rank", words[i].rank, "count", (json_int_t)words[i].count));
    send_partial(job, json_pack("{s:s, s:O, s:f}", "stage", "keywords", "keywords", list, "took_ms", took_ms(job)));
    return list;
}

static json_t *sentence_json(const struct job *job, const struct pick *pick)
{
    char *text = malloc(pick->size + 1u);
    if (text == NULL) return NULL;
    summary_copy(job->summary, pick, text);
    json_t *value = json_pack("{s:I, s:f, s:I, s:I, s:s}", "sentence", (json_int_t)pick->sentence, "rank", pick->rank, "at",
                              (json_int_t)pick->at, "size", (json_int_t)pick->size, "text", text);
    free(text);
    return value;
}

/* Puts the sentence where it belongs in a list that is in the order of the document. Takes the value. */
static void insert_sentence(json_t *list, json_t *value)
{
    json_int_t number = json_integer_value(json_object_get(value, "sentence"));
    size_t place = json_array_size(list);
    while (place > 0 && json_integer_value(json_object_get(json_array_get(list, place - 1), "sentence")) > number)
        place--;
    json_array_insert_new(list, place, value);
}

/* The key sentences as a JSON array in the order of the document; each is sent as soon as it is chosen. */
static json_t *find_sentences(struct job *job)
{
    json_t *list = json_array();
    uint32_t wanted = job->document.sentences != 0 ? job->document.sentences : summary_length(job->summary);
    struct pick pick;
    while (wanted-- > 0 && still_wanted(job) && summary_pick(job->summary, &pick)) {
        json_t *value = sentence_json(job, &pick);
        json_t *partial = json_copy(value);
        json_object_set_new(partial, "stage", json_string("sentence"));
        send_partial(job, partial);
        insert_sentence(list, value);
    }
    return list;
}

/* The whole answer, encoded; NULL: job->reason says why not. */
static char *summarize(struct job *job)
{
    if (!read_document(job) || !open_summary(job) || !rank_summary(job)) return NULL;
    json_t *keywords = find_keywords(job);
    if (keywords == NULL) return NULL;
    json_t *sentences = find_sentences(job);
    struct summary_counts c = summary_counts(job->summary);
    json_t *answer = json_pack("{s:s, s:I, s:I, s:o, s:o, s:f}", "title", job->document.title, "sentences", (json_int_t)c.sentences,
                               "words", (json_int_t)c.words, "summary", sentences, "keywords", keywords, "took_ms", took_ms(job));
    char *text = job->reason[0] == '\0' ? encode(answer) : NULL;
    json_decref(answer);
    if (text == NULL && job->reason[0] == '\0') refuse(job, "out of memory");
    return text;
}

/* Holds `docs.<id>.summarized` for the settle. */
static weir_status emit_answer(const struct job *job, const char *answer)
{
    static const char end[] = "summarized";
    char topic[512];
    const char *last = strrchr(job->event->topic, '.');
    snprintf(topic, sizeof topic, "%.*s%s", (int)(last + 1 - job->event->topic), job->event->topic, end);
    weir_event event = WEIR_EVENT_INIT;
    event.topic = topic;
    event.key = job->event->key;
    event.session = job->event->session;
    event.content_type = "application/json";
    event.data = answer;
    event.data_size = strlen(answer);
    return weir_emit(job->delivery, &event);
}

static void on_event(weir_delivery *delivery, void *arg)
{
    (void)arg;
    struct job job = { .delivery = delivery, .event = weir_delivery_event(delivery) };
    clock_gettime(CLOCK_MONOTONIC, &job.start);
    char *answer = summarize(&job);
    weir_status status = WEIR_OK;
    if (answer == NULL)
        weir_reject(delivery, job.reason);
    else if ((status = emit_answer(&job, answer)) != WEIR_OK)
        weir_nack(delivery, 0, weir_status_text(status));
    else if (weir_delivery_is_request(delivery))
        weir_reply(delivery, answer, strlen(answer));
    else
        weir_ack(delivery);
    free(answer);
    summary_close(job.summary);
    json_decref(job.document.json);
}

static void on_state(weir_state state, const weir_error *error, void *arg)
{
    (void)arg;
    if (state == WEIR_STATE_UP) fprintf(stderr, "summarize_worker: connected\n");
    if (error != NULL && error->status != WEIR_OK) fprintf(stderr, "summarize_worker: %s: %s\n", error->word, error->detail);
}

static void on_signal(int number)
{
    (void)number;
    weir_worker_stop(worker);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        bool help = strcmp(argv[1], "--help") == 0;
        fprintf(help ? stdout : stderr,
                "usage: summarize_worker     WEIR_ENDPOINT and WEIR_TENANT say where (default tcp://127.0.0.1:7400)\n"
                "Summarizes the events of docs.*.summarize, e.g.\n"
                "  weir request docs.1.summarize < samples/texts/roosevelt-1941.txt\n");
        return help ? 0 : 2;
    }
    weir_worker_options options = WEIR_WORKER_OPTIONS_INIT;
    options.group = "summarize";
    options.topics = (const char *[]){ "docs.*.summarize" };
    options.topic_count = 1;
    options.handlers = 2;
    options.on_state = on_state;
    weir_status status = weir_worker_open(&options, &worker);
    if (status == WEIR_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        status = weir_worker_run(worker, on_event, NULL);
    }
    if (status != WEIR_OK) fprintf(stderr, "summarize_worker: %s\n", weir_status_text(status));
    weir_worker_close(&worker);
    return status == WEIR_OK ? 0 : 1;
}
