/* Status words, versions and the last error. */
#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/session.h"

const char *weir_status_text(weir_status status)
{
    switch (status) {
    case WEIR_OK:
        return "ok";
    case WEIR_TIMED_OUT:
        return "timeout";
    case WEIR_INVALID:
        return "invalid";
    case WEIR_CLOSED:
        return "closed";
    case WEIR_FULL:
        return "full";
    case WEIR_ENDED:
        return "ended";
    case WEIR_OUTCOME_UNKNOWN:
        return "outcome_unknown";
    case WEIR_NO_MEMORY:
        return "no_memory";
    case WEIR_FORKED:
        return "forked";
    case WEIR_SYSTEM:
        return "system";
    default:
        return error_code_word((uint32_t)status);
    }
}

const char *weir_version(void)
{
    return WEIR_VERSION;
}

static _Thread_local weir_error open_error;

static bool is_retriable(weir_status status)
{
    return status == WEIR_THROTTLED || status == WEIR_OVERLOADED || status == WEIR_DRAINING || status == WEIR_TIMED_OUT ||
           status == WEIR_FULL || status == WEIR_NO_WORKER || status == WEIR_BREAKER_OPEN || status == WEIR_CREDIT_EXCEEDED ||
           status == WEIR_INTERNAL;
}

static weir_error make_error(weir_status status, uint32_t retry_ms)
{
    weir_error error = { .status = status, .word = weir_status_text(status), .retriable = is_retriable(status), .retry_ms = retry_ms };
    return error;
}

weir_error session_error(weir_status status, uint32_t retry_ms, struct span message)
{
    weir_error error = make_error(status, retry_ms);
    size_t size = message.size < sizeof error.detail - 1 ? message.size : sizeof error.detail - 1;
    if (size != 0) memcpy(error.detail, message.data, size);
    return error;
}

weir_status session_fail(struct session *session, weir_status status, const char *format, ...)
{
    va_list arguments;
    session->error = make_error(status, 0);
    va_start(arguments, format);
    (void)vsnprintf(session->error.detail, sizeof session->error.detail, format, arguments);
    va_end(arguments);
    return status;
}

weir_status session_refuse_open(weir_status status, const char *format, ...)
{
    va_list arguments;
    open_error = make_error(status, 0);
    va_start(arguments, format);
    (void)vsnprintf(open_error.detail, sizeof open_error.detail, format, arguments);
    va_end(arguments);
    return status;
}

void weir_last_error(const void *handle, weir_error *out_error)
{
    struct session *session = (struct session *)(uintptr_t)handle;
    if (session == NULL) {
        *out_error = open_error;
    } else if (session_is_forked(session)) {
        *out_error = make_error(WEIR_FORKED, 0);
    } else {
        (void)pthread_mutex_lock(&session->lock);
        *out_error = session->error;
        (void)pthread_mutex_unlock(&session->lock);
    }
    if (out_error->word == NULL) out_error->word = weir_status_text(out_error->status);
}

/* "<epoch>-<position>" */
bool session_parse_event_id(const char *id, uint8_t epoch[EPOCH_BYTES], uint64_t *out_seq)
{
    char *end;
    if (id == NULL || strlen(id) < EPOCH_BYTES + 2 || id[EPOCH_BYTES] != '-' || id[EPOCH_BYTES + 1] < '0' || id[EPOCH_BYTES + 1] > '9')
        return false;
    memcpy(epoch, id, EPOCH_BYTES);
    errno = 0;
    *out_seq = strtoull(id + EPOCH_BYTES + 1, &end, 10);
    return errno == 0 && *end == '\0';
}

void session_event_id(char out[WEIR_EVENT_ID_SIZE], const char epoch[EPOCH_BYTES], uint64_t seq)
{
    (void)snprintf(out, WEIR_EVENT_ID_SIZE, "%.*s-%llu", EPOCH_BYTES, epoch, (unsigned long long)seq);
}

bool session_take_options(void *out_options, size_t size, const void *given, size_t given_size)
{
    if (given_size < sizeof(size_t) || given_size > 4096) return false;
    memset(out_options, 0, size);
    memcpy(out_options, given, given_size < size ? given_size : size);
    return true;
}

struct span session_span(const char *text)
{
    return text != NULL ? span_text(text) : span_of(NULL, 0);
}

weir_status session_link_status(struct session *session, enum link_result result)
{
    switch (result) {
    case LINK_OK:
        return WEIR_OK;
    case LINK_FULL:
    case LINK_NO_CREDIT:
        return WEIR_FULL;
    case LINK_TOO_LARGE:
        return WEIR_TOO_LARGE;
    case LINK_STALE:
        return WEIR_STALE;
    case LINK_UNKNOWN:
        return WEIR_INVALID;
    case LINK_IS_STOPPED:
        return session->stopped_by != WEIR_OK ? session->stopped_by : WEIR_CLOSED;
    }
    return WEIR_INTERNAL;
}
