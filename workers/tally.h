/* tally: which messages of a block arrived, when several receivers share them.
 *
 * One receiver alone sees gaps that belong to the others, so nobody can tell by himself what is lost. Each
 * receiver marks what it takes in a row of bits for each sender, a bit a sequence, in memory of its own that
 * the crew can see; after the block one of them lays the rows over each other. A sequence in no row is lost,
 * one in two rows came twice: the count is exact, whatever happened. Marking costs a line of memory for every
 * 512 messages.
 *
 * The rows lie in the control page's memfd, behind the page, and are taken from the system as they are used:
 * at most 64 pairs of 1 MiB. A block has at most TALLY_MESSAGES_MAX messages of a sender. */
#ifndef IPCLAB_WORKERS_TALLY_H
#define IPCLAB_WORKERS_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/frame.h"
#include "workers/control.h"

#define TALLY_MESSAGES_MAX (UINT64_C(1) << 23)
enum { TALLY_WORD_BITS = 64 };

struct tally {
    uint64_t *words;
    int senders, receivers;
};

/* What a receiver keeps for each sender. */
struct tally_row {
    uint64_t *words;
    uint64_t next; /* one after the highest that came, counted from the block's first */
};

/* Maps the rows behind the control page, and makes room for them where there is none yet. */
int tally_map(int control_fd, int senders, int receivers, struct tally *tally, struct err *err);
void tally_unmap(struct tally *tally);
static inline struct tally_row tally_row(const struct tally *tally, int receiver, int sender)
{
    size_t row = (size_t)receiver * (size_t)tally->senders + (size_t)sender;
    return (struct tally_row){.words = tally->words + row * (TALLY_MESSAGES_MAX / TALLY_WORD_BITS)};
}

/* Marks the message that is the at-th of its block. One that is older than the block came too late: it was
 * counted as lost there, and here as reordered. */
static inline void tally_mark(struct tally_row *row, uint64_t at, struct frame_integrity *integrity)
{
    if (__builtin_expect(at >= TALLY_MESSAGES_MAX, 0)) {
        integrity->reordered++;
        return;
    }
    uint64_t *word = &row->words[at / TALLY_WORD_BITS];
    uint64_t bit = UINT64_C(1) << at % TALLY_WORD_BITS;
    if (__builtin_expect((*word & bit) != 0, 0)) {
        integrity->duplicated++;
        return;
    }
    *word |= bit;
    if (__builtin_expect(at < row->next, 0))
        integrity->reordered++;
    else
        row->next = at + 1;
}

/* One worker, after a barrier behind the block: adds what is missing and what came to two receivers, and
 * clears the rows. A message too torn to say which it is stands for one of the missing. */
void tally_judge(const struct tally *tally, struct control *control, uint32_t block_number,
                 struct frame_integrity *integrity);

#endif
