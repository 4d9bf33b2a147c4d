/* Hands on a data directory's files behind the log's back: what crashes, bad disks and other people do. The log is closed. */
#ifndef WEIR_TESTS_LOG_FILES_H
#define WEIR_TESTS_LOG_FILES_H

#include <stddef.h>
#include <stdint.h>

void files_remove_tree(const char *path);
void files_copy_tree(const char *from, const char *to);       /* `to` may lie in `from`; locks and other copies are left out */
void files_listing(const char *path, char *out, size_t size); /* every file with its size, sorted, a line each */
void files_write(const char *path, const char *text);         /* replaces its content */
size_t files_size(const char *path);
void files_flip(const char *path, size_t at); /* one byte */
void files_cut(const char *path, size_t size);

/* Path of the newest write-ahead log with content, of the newest snapshot. */
void files_newest_wal(const char *directory, char *out, size_t size);
void files_newest_snapshot(const char *directory, char *out, size_t size);
size_t files_names(const char *folder, const char *suffix, char (*out)[256], size_t max);
size_t files_count(const char *directory, const char *folder, const char *suffix);

/* Through RocksDB itself. */
void files_delete_newest_blocks(const char *directory, size_t count);
void files_delete_blocks_through(const char *directory, uint64_t position);
void files_delete_block(const char *directory, uint64_t position);
/* Puts the block of one log into another, under its key. */
void files_graft_block(const char *from_directory, const char *to_directory, uint64_t position);
void files_damage_block(const char *directory, uint64_t position);

void files_damage_snapshot(const char *directory);

#endif
