/* The story runner. A story is a text of lines `who: does what -> what each sees`, described in README.md. Each story is run twice, and
 * must say the same, byte for byte, both times. */
#include <stdio.h>
#include <stdlib.h>

#include "acts.h"

static void world_acts(struct world *w, struct line *l)
{
    const char *word = l->words[0];
    if (strcmp(word, "log:") == 0 && has(l, "committed"))
        world_commit(w, strtoull(l->words[2], NULL, 10));
    else if (strcmp(word, "log:") == 0 && has(l, "failed"))
        world_fail(w);
    else if (strcmp(word, "turns") == 0)
        w->single_turns = has(l, "single"), world_step(w, NULL, NULL, false);
    else if (strcmp(word, "log:") == 0 && has(l, "auto"))
        w->auto_commit = true;
    else if (strcmp(word, "log:") == 0 && (has(l, "slow") || has(l, "quick")))
        w->slow_log = has(l, "slow"), world_step(w, NULL, NULL, false);
    else if (strcmp(word, "log:") == 0 && has(l, "trim"))
        world_trim(w, world_seq(w, l->words[2]));
    else if (strcmp(word, "wait") == 0)
        world_wait(w, duration_ms(l->words[1]));
    else if (strcmp(word, "stopped") == 0)
        world_stop(w, duration_ms(l->words[1]));
    else if (strcmp(word, "crash") == 0)
        world_crash(w);
    else if (strcmp(word, "restart") == 0)
        world_restart(w, false);
    else if (strcmp(word, "snapshot") == 0)
        world_snapshot(w);
    else if (strcmp(word, "drain") == 0)
        w->draining = true, world_step(w, NULL, NULL, false);
    else
        fail(l, "nothing happens by that name");
}

/* Every word of the expectation is in the saying, the first two in their places. */
static bool matches(const char *expected, const char *said)
{
    char copy[SAID_BYTES], padded[SAID_BYTES + 2];
    snprintf(copy, sizeof copy, "%s", expected);
    snprintf(padded, sizeof padded, "%s ", said);
    int place = 0;
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "), place++) {
        char with_space[SAID_BYTES];
        snprintf(with_space, sizeof with_space, "%s ", word);
        const char *found = strstr(padded, with_space);
        if (!found || (place == 0 && found != padded) || (found != padded && found[-1] != ' ')) return false;
    }
    return place > 0;
}

/* What a story need not mention. */
static bool is_by_the_way(const char *said)
{
    return strstr(said, " heartbeat") || strstr(said, " credit ");
}

static void check(struct world *w, struct line *l, char *expectations)
{
    bool used[SAID_MAX] = { false };
    for (char *next, *e = expectations; e; e = next) {
        next = strstr(e, " ; ");
        if (next) *next = 0, next += 3;
        while (*e == ' ')
            e++;
        if (strcmp(e, "nothing") == 0 || *e == 0) continue;
        char *end;
        unsigned long wanted = strtoul(e, &end, 10); /* 100x p1 … */
        if (end > e && *end == 'x')
            e = end + 2;
        else
            wanted = 1;
        for (uint32_t i = 0; i < w->said_count && wanted > 0; i++)
            if (!used[i] && matches(e, w->said[i])) used[i] = true, wanted--;
        if (wanted > 0) {
            fprintf(stderr, "%s:%d: expected: %s\n", l->file, l->number, e);
            for (uint32_t i = 0; i < w->said_count; i++)
                fprintf(stderr, "    said: %s\n", w->said[i]);
            exit(1);
        }
    }
    for (uint32_t i = 0; i < w->said_count; i++)
        if (!used[i] && !is_by_the_way(w->said[i]) && !(w->auto_commit && strncmp(w->said[i], "log block", 9) == 0)) {
            fprintf(stderr, "%s:%d: not expected: %s\n", l->file, l->number, w->said[i]);
            exit(1);
        }
}

static void run_clause(struct world *w, struct line *l, char *clause)
{
    l->word_count = 0;
    for (char *word = strtok(clause, " "); word && l->word_count < WORDS_MAX; word = strtok(NULL, " "))
        l->words[l->word_count++] = word;
    if (l->word_count == 0) return;
    size_t size = strlen(l->words[0]);
    if (l->words[0][size - 1] == ':' && strcmp(l->words[0], "log:") != 0) {
        if (l->word_count < 2) fail(l, "who does what?");
        l->words[0][size - 1] = 0;
        struct story_peer *p = world_peer(w, l->words[0]);
        for (uint64_t i = number(l, "times", 1); i > 0; i--)
            peer_acts(w, p, l);
    } else {
        world_acts(w, l);
    }
}

static uint64_t run(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(2);
    }
    struct world *w = world_new(1);
    struct line l = { .file = path };
    while (fgets(l.text, sizeof l.text, file)) {
        l.number++;
        l.text[strcspn(l.text, "\n")] = 0;
        char *comment = strchr(l.text, '#');
        if (comment) *comment = 0;
        char *arrow = strstr(l.text, "->");
        if (arrow) *arrow = 0;
        if (strspn(l.text, " ") == strlen(l.text)) {
            if (arrow) fail(&l, "expectations without a cause");
            continue;
        }
        w->said_count = 0;
        for (char *next, *clause = l.text; clause; clause = next) { /* what happens, `;` between */
            next = strstr(clause, " ; ");
            if (next) *next = 0, next += 3;
            run_clause(w, &l, clause);
        }
        check(w, &l, arrow ? arrow + 2 : NULL);
    }
    fclose(file);
    uint64_t trace = w->trace;
    world_free(w);
    return trace;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (run(argv[i]) == run(argv[i])) continue;
        fprintf(stderr, "%s: two runs differ\n", argv[i]);
        return 1;
    }
    return 0;
}
