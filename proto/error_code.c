/* The one table of error words. Numbers travel between coordinator and peers, words between people, browsers and programs. */
#include "proto/packet.h"

static const char *const words[CODE_COUNT] = {
    [CODE_OK] = "ok",
    [CODE_BAD_FRAME] = "bad_frame",
    [CODE_BAD_REQUEST] = "bad_request",
    [CODE_BAD_VERSION] = "bad_version",
    [CODE_UNAUTHORIZED] = "unauthorized",
    [CODE_FORBIDDEN] = "forbidden",
    [CODE_NOT_FOUND] = "not_found",
    [CODE_TOO_LARGE] = "too_large",
    [CODE_THROTTLED] = "throttled",
    [CODE_OVERLOADED] = "overloaded",
    [CODE_NO_WORKER] = "no_worker",
    [CODE_TIMEOUT] = "timeout",
    [CODE_CANCELLED] = "cancelled",
    [CODE_EXPIRED] = "expired",
    [CODE_STALE] = "stale",
    [CODE_CONFLICT] = "conflict",
    [CODE_CREDIT_EXCEEDED] = "credit_exceeded",
    [CODE_BREAKER_OPEN] = "breaker_open",
    [CODE_DRAINING] = "draining",
    [CODE_MOVED] = "moved",
    [CODE_GONE] = "gone",
    [CODE_UNSUPPORTED] = "unsupported",
    [CODE_INTERNAL] = "internal",
};

const char *error_code_word(uint32_t code)
{
    return code < CODE_COUNT ? words[code] : "unknown";
}
