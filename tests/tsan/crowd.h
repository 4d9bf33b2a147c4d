/* Everybody who talks to a coordinator at once, each on threads of their own: workers that run handlers, a worker whose deliveries are
 * settled by another thread, publishers that wait and that do not, requesters, a subscriber, somebody who looks at numbers. They talk
 * through the real SDK. Kind: tests. */
#ifndef WEIR_TESTS_CROWD_H
#define WEIR_TESTS_CROWD_H

#include <stdbool.h>

struct crowd;

/* http: "127.0.0.1:PORT" of the coordinator, NULL: nobody looks at it. Lends endpoint until the stop. */
struct crowd *crowd_gather(const char *endpoint, const char *http);

struct crowd_counts {
    unsigned replies, partials; /* heard by requesters */
    unsigned read;              /* events, by the subscriber */
    unsigned looked;            /* answers over HTTP */
};
struct crowd_counts crowd_counts(const struct crowd *crowd);

/* Both wait, and return false when the time is over; why is then on stderr. reaches: until every count is so high. finishes: until so many
 * events have been published, everything that was accepted has been handled and read, and every request has had its last answer. */
bool crowd_reaches(struct crowd *crowd, struct crowd_counts least);
bool crowd_finishes(struct crowd *crowd, unsigned events);

void crowd_stop(struct crowd **crowd); /* in the middle of whatever is under way */

#endif
