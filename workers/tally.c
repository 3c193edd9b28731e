#include "workers/tally.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW_WORDS (TALLY_MESSAGES_MAX / TALLY_WORD_BITS)

/* mmap(2) takes offsets in whole pages, which have 16 or 64 KiB on some machines. */
static size_t rows_offset(void)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    return (sizeof(struct control) + page_bytes - 1) / page_bytes * page_bytes;
}

static size_t rows_bytes(int senders, int receivers)
{
    return (size_t)senders * (size_t)receivers * ROW_WORDS * sizeof(uint64_t);
}

int tally_map(int control_fd, int senders, int receivers, struct tally *tally, struct err *err)
{
    size_t bytes = rows_bytes(senders, receivers);
    off_t end = (off_t)(rows_offset() + bytes);
    struct stat status;
    if (fstat(control_fd, &status) != 0 || (status.st_size < end && ftruncate(control_fd, end) != 0))
        return err_errno(err, errno, "make room for the tally");
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, control_fd, (off_t)rows_offset());
    if (memory == MAP_FAILED)
        return err_errno(err, errno, "map the tally");
    *tally = (struct tally){.words = memory, .senders = senders, .receivers = receivers};
    return 0;
}

void tally_unmap(struct tally *tally)
{
    if (tally->words != NULL)
        munmap(tally->words, rows_bytes(tally->senders, tally->receivers));
    tally->words = NULL;
}

static uint64_t sent_in(struct control_block *block)
{
    uint64_t sent =
        control_last(block) + 1 - atomic_load_explicit(&block->first_sequence, memory_order_relaxed);
    return sent < TALLY_MESSAGES_MAX ? sent : TALLY_MESSAGES_MAX;
}

static uint64_t count_bits(uint64_t word)
{
    return (uint64_t)__builtin_popcountll(word);
}

/* One sender's messages: how many came at all, and how often one came more than once. */
static uint64_t overlay(const struct tally *tally, int sender, size_t words, uint64_t *repeated)
{
    uint64_t arrived = 0;
    for (size_t i = 0; i < words; i++) {
        uint64_t any = 0, marks = 0;
        for (int receiver = 0; receiver < tally->receivers; receiver++) {
            uint64_t word = tally_row(tally, receiver, sender).words[i];
            any |= word;
            marks += count_bits(word);
        }
        arrived += count_bits(any);
        *repeated += marks - count_bits(any);
    }
    for (int receiver = 0; receiver < tally->receivers; receiver++)
        memset(tally_row(tally, receiver, sender).words, 0, words * sizeof(uint64_t));
    return arrived;
}

void tally_judge(const struct tally *tally, struct control *control, uint32_t block_number,
                 struct frame_integrity *integrity)
{
    uint64_t missing = 0, unplaced = 0;
    for (int sender = 0; sender < tally->senders; sender++) {
        uint64_t sent = sent_in(&control->senders[sender][block_number % 2]);
        size_t words = (size_t)((sent + TALLY_WORD_BITS - 1) / TALLY_WORD_BITS);
        missing += sent - overlay(tally, sender, words, &integrity->duplicated);
    }
    for (int receiver = 0; receiver < tally->receivers; receiver++)
        unplaced += control->workers[tally->senders + receiver].unplaced;
    integrity->lost += missing > unplaced ? missing - unplaced : 0;
}
