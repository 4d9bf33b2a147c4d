/* A bad disk, linked into the program under test: the calls below stand before libc's, also for the shared libraries it uses. They concern
 * files under one folder; RocksDB's own text log (LOG*) is left out, since nobody minds its loss. */
#ifndef WEIR_TESTS_FAULT_SHIM_H
#define WEIR_TESTS_FAULT_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_call { FAULT_WRITE, FAULT_PWRITE, FAULT_FDATASYNC, FAULT_FSYNC, FAULT_OPEN, FAULT_RENAME, FAULT_CALLS };
enum { FAULT_SHORT = -1 }; /* in place of an errno: half of the bytes are written, and that is said */

/* The n-th such call (1 = the next) under the folder fails with the errno, once. */
void fault_arm(const char *folder, enum fault_call call, uint64_t nth, int code);
bool fault_fired(void);

/* What would survive the machine's crash: how much of each write-ahead log (by name) was synced. In a file that outlives the process. */
struct synced_file {
    char name[32];
    uint64_t bytes;
};
enum { SYNCED_FILES_MAX = 256 };
void fault_record_synced(const char *folder, const char *table_path);

#endif
