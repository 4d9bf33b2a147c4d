/* Reads a log as a whole and checks what can be checked without knowing what the records mean: every block's checksum and contents, numbers
 * without gaps, rising positions, the chain of hashes from the oldest block to the newest, the parts of large events, and the newest
 * snapshot. Kind: shell. */
#ifndef WEIR_LOG_VERIFY_H
#define WEIR_LOG_VERIFY_H

#include "coordinator/log/log.h"

struct log_verified {
    uint64_t blocks, records, stored_bytes, large_events;
    uint64_t first_position, last_position, first_number, last_number; /* 0 in an empty log */
    uint64_t snapshot_slices;                                          /* of the newest; 0: there is none */
    char epoch[17];
};

/* Read-only, of a directory in use too (then as it stands now). LOG_OK, or the first fault: *error says file and position, *out how far it
 * was fine. */
enum log_status log_verify_rocksdb(const char *directory, struct log_verified *out, struct log_error *error);

#endif
