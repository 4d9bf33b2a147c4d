/* The values behind proto/golden/: written once by write_golden, checked for ever by golden_test. */
#ifndef WEIR_TESTS_GOLDEN_H
#define WEIR_TESTS_GOLDEN_H

#include "proto/block.h"
#include "proto/event.h"

enum { GOLDEN_HEADERS = 2, GOLDEN_RECORDS = 5 };
#define GOLDEN_LOG_ID UINT64_C(0x1122334455667788)
extern const uint8_t golden_hash_before[16];

void golden_event(struct event *out, struct event_header headers[GOLDEN_HEADERS]);

/* Fills the block with one record of every kind; the first holds the golden event. */
void golden_block(struct block *block);

#endif
