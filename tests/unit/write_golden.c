/* Writes proto/golden/: what a version of weir put on the wire and into the log, to be decoded for ever. Not run by the build, and never
 * over a file that is there: a golden file that a change cannot read any more is a fault of the change. Usage: write_golden DIRECTORY */
#include <stdio.h>
#include <stdlib.h>

#include "proto/block_codec.h"
#include "proto/codec.h"
#include "proto/event.h"
#include "tests/support/golden.h"
#include "tests/support/packet_text.h"
#include "tests/support/packets.h"

static const char *directory;

static void save(const char *name, const char *kind, const void *data, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", directory, name, kind);
    FILE *file = fopen(path, "wbx");
    if (file == NULL) {
        fprintf(stderr, "%s: is there already, left as it is\n", path);
        return;
    }
    if (fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void save_packets(void)
{
    struct sample_packet samples[FIELD_COUNT - 1];
    static uint8_t memory[64 * 1024];
    sample_packets(samples);
    for (int i = 0; i < FIELD_COUNT - 1; i++) {
        struct arena arena;
        struct span head;
        arena_init(&arena, memory, sizeof memory);
        if (codec_encode(&arena, &samples[i].packet, &head) != CODEC_OK) abort();
        char *text = packet_text(&samples[i].packet);
        save(samples[i].name, "packet", head.data, head.size);
        save(samples[i].name, "txt", text, strlen(text));
        free(text);
    }
}

static void save_event(void)
{
    uint8_t bytes[1024];
    struct event event;
    struct event_header headers[GOLDEN_HEADERS];
    golden_event(&event, headers);
    size_t size = event_encode(&event, headers, GOLDEN_HEADERS, bytes);
    save("event", "event", bytes, size);
}

static void save_block(void)
{
    struct block block;
    struct arena scratch;
    block_init(&block, malloc(block_memory()));
    arena_init(&scratch, malloc(BLOCK_SCRATCH_BYTES), BLOCK_SCRATCH_BYTES);
    golden_block(&block);
    size_t bound = block_store_bound(&block);
    uint8_t *out = malloc(bound), hash[BLOCK_HASH_BYTES];
    size_t size = block_store(&block, GOLDEN_LOG_ID, golden_hash_before, &scratch, out, bound, hash);
    save("block", "block", out, size);
    free(out);
    free(scratch.memory);
    free(block.records);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: write_golden DIRECTORY\n");
        return 2;
    }
    directory = argv[1];
    save_packets();
    save_event();
    save_block();
    return 0;
}
