/* Plain POSIX and RocksDB's own API, sharing nothing with the code under test. */
#include "tests/contract/log_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <rocksdb/c.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void files_remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void copy_file(const char *from, const char *to)
{
    char buffer[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t size; (size = read(in, buffer, sizeof buffer)) > 0;)
        assert_int_equal(write(out, buffer, (size_t)size), size);
    close(in);
    close(out);
}

void files_copy_tree(const char *from, const char *to)
{
    struct dirent **entries;
    assert_int_equal(mkdir(to, 0755), 0);
    int count = scandir(from, &entries, NULL, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char in[PATH_MAX], out[PATH_MAX];
        assert_true(snprintf(in, sizeof in, "%s/%s", from, name) < (int)sizeof in);
        assert_true(snprintf(out, sizeof out, "%s/%s", to, name) < (int)sizeof out);
        struct stat status;
        assert_int_equal(stat(in, &status), 0);
        bool skip = name[0] == '.' || strcmp(name, "LOCK") == 0 || strcmp(in, to) == 0;
        if (!skip && S_ISDIR(status.st_mode))
            files_copy_tree(in, out);
        else if (!skip)
            copy_file(in, out);
        free(entries[i]);
    }
    free(entries);
}

void files_listing(const char *path, char *out, size_t size)
{
    struct dirent **entries;
    out[0] = 0;
    int count = scandir(path, &entries, NULL, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        char below[PATH_MAX];
        struct stat status;
        assert_true(snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name) < (int)sizeof below);
        assert_int_equal(stat(below, &status), 0);
        size_t used = strlen(out);
        if (S_ISDIR(status.st_mode) && entries[i]->d_name[0] != '.')
            files_listing(below, out + used, size - used);
        else if (!S_ISDIR(status.st_mode))
            assert_true(snprintf(out + used, size - used, "%s %lld\n", below, (long long)status.st_size) < (int)(size - used));
        free(entries[i]);
    }
    free(entries);
}

void files_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

size_t files_size(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}

void files_flip(const char *path, size_t at)
{
    int fd = open(path, O_RDWR);
    uint8_t byte;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

void files_cut(const char *path, size_t size)
{
    assert_int_equal(truncate(path, (off_t)size), 0);
}

/* The last by name (names grow) that ends so and is not empty; their number is returned. */
static size_t find_last(const char *folder, const char *suffix, char *out, size_t size)
{
    size_t count = 0;
    char best[NAME_MAX + 1] = "";
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        size_t length = strlen(entry->d_name);
        struct stat status;
        if (length < strlen(suffix) || strcmp(entry->d_name + length - strlen(suffix), suffix) != 0) continue;
        if (fstatat(dirfd(open_folder), entry->d_name, &status, 0) != 0 || status.st_size == 0) continue;
        count++;
        if (strcmp(entry->d_name, best) > 0) snprintf(best, sizeof best, "%s", entry->d_name);
    }
    closedir(open_folder);
    if (count > 0 && out != NULL) assert_true(snprintf(out, size, "%s/%s", folder, best) < (int)size);
    return count;
}

size_t files_names(const char *folder, const char *suffix, char (*out)[256], size_t max)
{
    size_t count = 0;
    DIR *open_folder = opendir(folder);
    assert_non_null(open_folder);
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length < strlen(suffix) || strcmp(entry->d_name + length - strlen(suffix), suffix) != 0) continue;
        assert_true(count < max);
        snprintf(out[count++], 256, "%s", entry->d_name);
    }
    closedir(open_folder);
    return count;
}

void files_newest_wal(const char *directory, char *out, size_t size)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/db", directory);
    assert_true(find_last(folder, ".log", out, size) > 0);
}

void files_newest_snapshot(const char *directory, char *out, size_t size)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/snapshots", directory);
    assert_true(find_last(folder, ".snapshot", out, size) > 0);
}

size_t files_count(const char *directory, const char *folder, const char *suffix)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, folder);
    return find_last(path, suffix, NULL, 0);
}

void files_damage_snapshot(const char *directory)
{
    char path[PATH_MAX];
    files_newest_snapshot(directory, path, sizeof path);
    files_flip(path, 64 + 200); /* in the first slice, behind its header */
}

struct database {
    rocksdb_options_t *options;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[2];
    rocksdb_writeoptions_t *write;
    rocksdb_readoptions_t *read;
    rocksdb_iterator_t *iterator;
};

static void open_database(struct database *d, const char *directory)
{
    static const char *const names[2] = { "default", "log" };
    char path[PATH_MAX], *error = NULL;
    snprintf(path, sizeof path, "%s/db", directory);
    d->options = rocksdb_options_create();
    const rocksdb_options_t *const options[2] = { d->options, d->options };
    d->db = rocksdb_open_column_families(d->options, path, 2, names, options, d->families, &error);
    assert_null(error);
    d->write = rocksdb_writeoptions_create();
    d->read = rocksdb_readoptions_create();
    d->iterator = rocksdb_create_iterator_cf(d->db, d->read, d->families[1]);
}

static void close_database(struct database *d)
{
    rocksdb_iter_destroy(d->iterator);
    rocksdb_readoptions_destroy(d->read);
    rocksdb_writeoptions_destroy(d->write);
    for (int i = 0; i < 2; i++)
        rocksdb_column_family_handle_destroy(d->families[i]);
    rocksdb_close(d->db);
    rocksdb_options_destroy(d->options);
}

static void delete_current(struct database *d)
{
    char *error = NULL;
    size_t size;
    const char *key = rocksdb_iter_key(d->iterator, &size);
    rocksdb_delete_cf(d->db, d->write, d->families[1], key, size, &error);
    assert_null(error);
}

void files_delete_newest_blocks(const char *directory, size_t count)
{
    struct database d;
    open_database(&d, directory);
    rocksdb_iter_seek_to_last(d.iterator);
    for (; count > 0 && rocksdb_iter_valid(d.iterator); count--) {
        delete_current(&d);
        rocksdb_iter_prev(d.iterator);
    }
    close_database(&d);
}

static void key_of(uint64_t position, char key[8])
{
    for (int i = 0; i < 8; i++)
        key[i] = (char)(position >> (56 - 8 * i));
}

void files_delete_blocks_through(const char *directory, uint64_t position)
{
    struct database d;
    char end[8];
    size_t size;
    key_of(position, end);
    open_database(&d, directory);
    for (rocksdb_iter_seek_to_first(d.iterator); rocksdb_iter_valid(d.iterator); rocksdb_iter_next(d.iterator)) {
        if (memcmp(rocksdb_iter_key(d.iterator, &size), end, sizeof end) > 0) break;
        delete_current(&d);
    }
    close_database(&d);
}

void files_delete_block(const char *directory, uint64_t position)
{
    struct database d;
    char key[8];
    key_of(position, key);
    open_database(&d, directory);
    rocksdb_iter_seek(d.iterator, key, sizeof key);
    assert_true(rocksdb_iter_valid(d.iterator));
    delete_current(&d);
    close_database(&d);
}

void files_damage_block(const char *directory, uint64_t position)
{
    struct database d;
    char key[8], *error = NULL;
    size_t size;
    key_of(position, key);
    open_database(&d, directory);
    char *value = rocksdb_get_cf(d.db, d.read, d.families[1], key, sizeof key, &size, &error);
    assert_null(error);
    assert_non_null(value);
    value[size - 1] ^= 0x40;
    rocksdb_put_cf(d.db, d.write, d.families[1], key, sizeof key, value, size, &error);
    assert_null(error);
    rocksdb_free(value);
    close_database(&d);
}

void files_graft_block(const char *from_directory, const char *to_directory, uint64_t position)
{
    struct database from, to;
    char key[8], *error = NULL;
    size_t size;
    key_of(position, key);
    open_database(&from, from_directory);
    open_database(&to, to_directory);
    char *value = rocksdb_get_cf(from.db, from.read, from.families[1], key, sizeof key, &size, &error);
    assert_null(error);
    assert_non_null(value);
    rocksdb_put_cf(to.db, to.write, to.families[1], key, sizeof key, value, size, &error);
    assert_null(error);
    rocksdb_free(value);
    close_database(&from);
    close_database(&to);
}
