/* After a lost connection: the hello names all that is held, also what was settled without an answer [R-ADOPT-1]; the welcome gives new
 * leases for what is kept. A settle is sent again under its new lease; without one it is stale [R-ADOPT-3]. Both lists go by rising slot,
 * so matching them is one walk. */
#include "sdk/link/state.h"

static bool is_held(const struct held *held)
{
    return held->state == HELD_WAITING || held->state == HELD_STARTED || held->state == HELD_SETTLING;
}

/* What is of an earlier life of the group says nothing about this one, where the same events may be held once more [R-ADOPT-1]. */
static bool is_named(const struct link *link, const struct held *held)
{
    return is_held(held) && !held->unnamed && held->generation == link->terms.generation;
}

void link_flush_held(struct link *link, struct flush *flush, struct msg_hello *hello)
{
    const struct leasing *l = &link->leasing;
    uint64_t *seqs, *firsts;
    uint32_t *attempts, *priorities, *letters;
    if (l->touched == 0 || l->free_count == l->slots) return;
    seqs = link_take(flush, l->touched, sizeof *seqs);
    firsts = link_take(flush, l->touched, sizeof *firsts);
    attempts = link_take(flush, l->touched, sizeof *attempts);
    priorities = link_take(flush, l->touched, sizeof *priorities);
    letters = link_take(flush, l->touched, sizeof *letters);
    for (uint32_t i = 1; i <= l->touched; i++) {
        if (!is_named(link, &l->held[i])) continue;
        seqs[hello->held_count] = l->held[i].seq;
        firsts[hello->held_count] = l->held[i].first;
        if (l->held[i].first != 0) hello->held_first = firsts;
        letters[hello->held_count] = l->held[i].letter;
        if (l->held[i].letter) hello->held_letter = letters;
        attempts[hello->held_count] = l->held[i].attempt;
        priorities[hello->held_count++] = l->held[i].priority;
    }
    hello->held_seq = seqs;
    hello->held_attempt = attempts;
    hello->held_priority = priorities;
    hello->held_generation = link->terms.generation;
    hello->epoch = span_of(link->terms.epoch, hello->held_count != 0 ? EPOCH_BYTES : 0);
}

/* The slot that holds (seq, attempt), looked for from `from` on and around; 0 = none. */
static uint32_t find_held(const struct link *link, uint32_t from, uint64_t seq, uint32_t attempt)
{
    const struct leasing *l = &link->leasing;
    for (uint32_t steps = 0; steps < l->touched; steps++) {
        uint32_t i = (from + steps - 1) % l->touched + 1;
        const struct held *held = &l->held[i];
        if (is_named(link, held) && !held->kept && held->seq == seq && held->attempt == attempt) return i;
    }
    return 0;
}

static void keep(struct link *link, const struct msg_welcome *welcome)
{
    struct leasing *l = &link->leasing;
    uint32_t from = 1;
    for (size_t i = 0; i < welcome->kept_count; i++) {
        uint32_t handle = find_held(link, from, welcome->kept_seq[i], welcome->kept_attempt[i]);
        l->received++; /* [R-ADOPT-4] */
        if (handle == 0) {
            link_give_back(link, welcome->kept_lease[i]); /* the user gave it back between hello and welcome */
            continue;
        }
        l->held[handle].lease = welcome->kept_lease[i];
        l->held[handle].kept = true;
        l->received_bytes += l->held[handle].size;
        must(map_put(&l->by_lease, welcome->kept_lease[i], handle));
        from = handle + 1;
    }
}

/* The coordinator counts the deadlines of kept leases from its welcome; so does the list. */
static void lose_the_rest(struct link *link)
{
    struct leasing *l = &link->leasing;
    for (uint32_t i = 1; i <= l->touched; i++) {
        if (is_held(&l->held[i]) && !l->held[i].kept) link_held_end(link, i, CODE_STALE);
    }
    for (uint64_t place = l->settle_first; place != l->settle_next; place++) {
        const struct settle_entry *entry = &l->settles[place & l->settle_mask];
        if (entry->answered || l->held[entry->handle].kept) continue;
        link_settle_answer(link, place, entry->sent ? CODE_GONE : CODE_STALE); /* [R-ADOPT-3] */
    }
    link_emit_lose(link, false, CODE_STALE);
    for (uint32_t i = 1; i <= l->touched; i++)
        l->held[i].kept = false;
}

void link_adopt(struct link *link, const struct msg_welcome *welcome)
{
    if (link->leasing.slots == 0) return;
    keep(link, welcome);
    lose_the_rest(link);
    link_settle_restart(link);
    if (link->terms.large_events == 0) link_emit_lose(link, true, CODE_TOO_LARGE); /* a coordinator that takes no parts */
}
