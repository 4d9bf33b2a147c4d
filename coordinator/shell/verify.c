/* See verify.h. Nothing is repaired: what is damaged is named, with its file and position, so that a copy can be put back. */
#include "coordinator/shell/verify.h"

#include "coordinator/log/log_verify.h"

#include <inttypes.h>
#include <stdio.h>

static void print_text(const char *directory, enum log_status status, const struct log_verified *v, const char *why)
{
    printf("%s: %" PRIu64 " blocks (%" PRIu64 " to %" PRIu64 "), %" PRIu64 " records (seq %" PRIu64 " to %" PRIu64 "), %" PRIu64
           " large events, %" PRIu64 " bytes, %" PRIu64 " slices of a snapshot; epoch %s: %s%s\n",
           directory, v->blocks, v->first_number, v->last_number, v->records, v->first_position, v->last_position, v->large_events, v->stored_bytes,
           v->snapshot_slices, v->epoch, status == LOG_OK ? "all fine" : "DAMAGED after these: ", status == LOG_OK ? "" : why);
}

static void print_text_as_json(const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putchar('\\');
        putchar((unsigned char)*text < 0x20 ? ' ' : *text);
    }
}

static void print_json(enum log_status status, const struct log_verified *v, const char *why)
{
    printf("{\"ok\":%s,\"blocks\":%" PRIu64 ",\"first_block\":%" PRIu64 ",\"last_block\":%" PRIu64 ",\"records\":%" PRIu64
           ",\"first_seq\":%" PRIu64 ",\"last_seq\":%" PRIu64 ",\"large_events\":%" PRIu64 ",\"stored_bytes\":%" PRIu64 ",\"snapshot_slices\":%" PRIu64
           ",\"epoch\":\"%s\"",
           status == LOG_OK ? "true" : "false", v->blocks, v->first_number, v->last_number, v->records, v->first_position, v->last_position,
           v->large_events, v->stored_bytes, v->snapshot_slices, v->epoch);
    if (status != LOG_OK) {
        printf(",\"error\":\"");
        print_text_as_json(why);
        putchar('"');
    }
    puts("}");
}

int verify_run(const struct config *config)
{
    struct log_verified found;
    struct log_error error;
    enum log_status status = log_verify_rocksdb(config->data, &found, &error);
    if (config->log_format == JOURNAL_JSON)
        print_json(status, &found, error.text);
    else if (found.epoch[0])
        print_text(config->data, status, &found, error.text);
    if (status != LOG_OK) fprintf(stderr, "weir-coordinator: %s\n", error.text);
    return status == LOG_OK ? EXIT_FINE : EXIT_FAILED;
}
