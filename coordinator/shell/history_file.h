/* A file of events that were read from another coordinator's history: as a source for --read-only, in the place of a data directory. Kind:
 * shell.
 *
 * `weir replay ENDPOINT` writes it and starts us on it. Text "weir history 1\nEPOCH TENANT\n" (EPOCH: 16 hex digits), then for each event
 * four little-endian 64-bit numbers (seq, log time in ms, seq of the cause, size) and the event's bytes; by rising seq. */
#ifndef WEIR_COORDINATOR_HISTORY_FILE_H
#define WEIR_COORDINATOR_HISTORY_FILE_H

#include "coordinator/log/log_memory.h"

/* Is this the path of a file, and not of a directory? */
bool history_file_is(const char *path);

/* Reads it into the memory of a new disk, each event at the position and time it had, in a log of the same epoch. NULL: *error says why. */
struct memory_disk *history_file_read(const char *path, struct log_error *error);

#endif
