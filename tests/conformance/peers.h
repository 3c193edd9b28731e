/* peers: two real processes at the two ends of a mechanism's channels, and the test as their leader.
 *
 * Related peers are forked; unrelated ones are executed: this same test program, which a constructor turns
 * into a peer before the framework starts. What a peer does is one line of the table in peers.c. A peer that
 * is not content writes why to standard error and exits with status 1. */
#ifndef IPCLAB_TESTS_CONFORMANCE_PEERS_H
#define IPCLAB_TESTS_CONFORMANCE_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/support/scratch.h"
#include "workers/worker.h"

enum peer_act {
    ACT_ASK,            /* send, receive the answer, compare; then leave */
    ACT_ANSWER,         /* send back what comes until the end of the stream */
    ACT_SEND,           /* send so many, leave */
    ACT_RECEIVE,        /* receive so many, then the end of the stream */
    ACT_SEND_AND_HANG,  /* send so many, say so, and stay until killed */
    ACT_SEND_UNTIL_END, /* send until nobody can receive */
    ACT_HANG,           /* attached, and never receive */
};

struct peers_plan {
    char mechanism[MECHANISM_NAME_BYTES];
    struct channel channel; /* directory is set by peers_open */
    enum relation relation;
    enum peer_act acts[2]; /* of the sender's side and the receiver's */
    uint64_t messages;
};

struct peers {
    struct peers_plan plan;
    const struct mechanism *mechanism;
    struct scratch scratch;
    struct worker_channel channels[2];
    size_t channel_count;
    pid_t pids[2];
    int pidfds[2];
    int reports[2]; /* pipe: a byte when attached, another when an act has something to say */
    int go[2];      /* pipe: a byte for each peer once the channels are closed */
};

/* Opens the channels, starts both peers, waits until they have attached, closes the channels, lets them go.
 * Any failure fails the test. */
void peers_start(struct peers *peers, const struct peers_plan *plan);
/* Waits for the byte of an act. */
void peers_await_report(struct peers *peers);
/* The peer's exit status within the time; -1 when it is still running then (it is killed), 128 + n for a
 * signal. */
int peers_await_exit(struct peers *peers, int which, int64_t timeout_ns);
void peers_kill(struct peers *peers, int which);
/* Asserts that nothing is left: no file, no System V segment of ours. */
void peers_finish(struct peers *peers);

/* Open descriptors of this process. */
int peers_count_descriptors(void);
/* System V segments created by this process. */
int peers_count_segments(void);

#endif
