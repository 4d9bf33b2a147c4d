/* Places in the log as people write them: an event id, a seq, `start`, a time, a length of time back. */
#include "sdk/cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "90s", "15m", "2h", "3d" */
static bool parse_ago(const char *text, uint64_t *out_ms)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || end[0] == '\0' || end[1] != '\0' || value > 1000000000) return false;
    switch (end[0]) {
    case 's':
        *out_ms = value * 1000;
        return true;
    case 'm':
        *out_ms = value * 60000;
        return true;
    case 'h':
        *out_ms = value * 3600000;
        return true;
    case 'd':
        *out_ms = value * 86400000;
        return true;
    default:
        return false;
    }
}

/* ISO 8601 in UTC, to the second or with a fraction. */
static bool parse_time(const char *text, uint64_t *out_ms)
{
    struct tm parts = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (!rest) return false;
    unsigned fraction = 0;
    if (*rest == '.') {
        unsigned weight = 100;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, weight /= 10)
            fraction += (unsigned)(*rest - '0') * weight;
    }
    if (*rest == 'Z') rest++;
    time_t seconds = timegm(&parts);
    if (*rest != '\0' || seconds < 0) return false;
    *out_ms = (uint64_t)seconds * 1000 + fraction;
    return true;
}

/* `<epoch>-<position>`: 16 hex digits, then a number */
static bool is_event_id(const char *text)
{
    return strspn(text, "0123456789abcdef") == 16 && text[16] == '-' && text[17] != '\0' &&
           strspn(text + 17, "0123456789") == strlen(text + 17);
}

bool cli_place(const char *text, struct cli_place *out_place)
{
    struct cli_place place = { .kind = CLI_PLACE_START };
    uint64_t ago_ms = 0;
    if (strcmp(text, "start") == 0) {
        *out_place = place;
        return true;
    }
    if (is_event_id(text)) {
        place.kind = CLI_PLACE_ID;
        place.id = text;
        if (!cli_number(text + 17, &place.value)) return false;
    } else if (cli_number(text, &place.value)) {
        place.kind = CLI_PLACE_SEQ;
    } else if (parse_ago(text, &ago_ms)) {
        uint64_t now = cli_wall_ms();
        place.kind = CLI_PLACE_TIME;
        place.value = ago_ms < now ? now - ago_ms : 0;
    } else if (parse_time(text, &place.value)) {
        place.kind = CLI_PLACE_TIME;
    } else {
        return false;
    }
    *out_place = place;
    return true;
}
