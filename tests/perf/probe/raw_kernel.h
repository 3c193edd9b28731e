/* raw_kernel: a connected pair of ends for each of the kernel's mechanisms, with the calls that move a
 * message. Owns what open made until raw_pair_close. Both ends belong to the process that opened them and to
 * the one it forks; what begin makes belongs to the one process that called it, until its end. */
#ifndef IPCLAB_TESTS_PERF_PROBE_RAW_KERNEL_H
#define IPCLAB_TESTS_PERF_PROBE_RAW_KERNEL_H

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/perf/probe/raw.h"

/* Slots of shared memory in one direction, for payloads whose arrival is announced. A stream's sender may be
 * ahead by as many slots as it has credit; a notice of room is worth so many more. */
struct raw_lane {
    unsigned char *slots;
    size_t slot_bytes;
    uint64_t count, at;
    uint64_t credit, taken, notice_every; /* notice_every 0: a round trip, which needs no credit */
};

struct raw_end {
    int out, in;        /* descriptors or queues; -1 none */
    int room;           /* the descriptor that notices of room go through; -1 none */
    bool polls;         /* every call is non-blocking and is tried again at once */
    bool streams;       /* it goes in one direction */
    size_t piece_bytes; /* the most one write takes */
    pid_t peer;         /* whom a signal goes to, whose memory is read */
    struct raw_lane put, get;
};

struct raw_pair {
    struct raw_end ends[2]; /* of the one that asks or sends, and of the other */
    void *shared;
    size_t shared_bytes;
};

struct raw_kind {
    const char *name;
    int (*open)(struct raw_pair *pair, const struct raw_case *one); /* 0 or -errno */
    int (*begin)(struct raw_end *end);                              /* in each process, if not NULL */
    int (*send)(struct raw_end *end, unsigned char *message, size_t bytes);
    int (*receive)(struct raw_end *end, unsigned char *message, size_t bytes);
    void (*close)(struct raw_pair *pair); /* NULL: its ends are descriptors */
};

/* The tables end with a kind without a name. */
extern const struct raw_kind raw_kinds[], raw_wake_up_kinds[], raw_technique_kinds[];

/* What several kinds share. */
int raw_open_pipes(struct raw_pair *pair, const struct raw_case *one);
int raw_open_unix_stream(struct raw_pair *pair, const struct raw_case *one);
int raw_receive_bytes(struct raw_end *end, unsigned char *message, size_t bytes);
/* Shared memory of the pair, mapped in both; -errno on failure. */
int raw_share(struct raw_pair *pair, size_t bytes);

static inline bool raw_is_again(const struct raw_end *end)
{
    return errno == EINTR || (end->polls && (errno == EAGAIN || errno == ENOMSG));
}

static inline void raw_join(struct raw_pair *pair, int asker_out, int answerer_in, int answerer_out,
                            int asker_in)
{
    pair->ends[0].out = asker_out;
    pair->ends[0].in = asker_in;
    pair->ends[1].out = answerer_out;
    pair->ends[1].in = answerer_in;
}

#endif
