/* peers: real processes at the ends of a mechanism's channels, and the test as their leader.
 *
 * Related peers are forked; unrelated ones are executed: this same test program, which a constructor turns
 * into a peer before the framework starts. What a peer does is one line of the table in peers.c. A peer that
 * is not content writes why to standard error and exits with status 1. */
#ifndef IPCLAB_TESTS_CONFORMANCE_PEERS_H
#define IPCLAB_TESTS_CONFORMANCE_PEERS_H

#include <stdatomic.h>
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
    ACT_SEND_SHARED,    /* send so many, then a stop message for each receiver */
    ACT_RECEIVE_SHARED, /* receive and tally until there was a stop for each sender, say so; then the end
                         */
};

struct peers_plan {
    char mechanism[MECHANISM_NAME_BYTES];
    struct channel channel; /* directory is set by peers_open */
    enum relation relation;
    enum peer_act acts[2]; /* of the sender's side and the receiver's */
    uint64_t messages;
    /* A mechanism may refuse a channel (a buffer, a size between several workers); then it must say why. */
    bool may_refuse;
};
enum { PEERS_MAX = 2 * CREW_SIDE_MAX };

struct peers {
    struct peers_plan plan;
    const struct mechanism *mechanism;
    struct scratch scratch;
    struct worker_channel channels[2];
    size_t channel_count;
    int count; /* the senders first */
    pid_t pids[PEERS_MAX];
    int pidfds[PEERS_MAX];
    int reports[2]; /* pipe: a byte when attached, another when an act has something to say */
    int go[2];      /* pipe: a byte for each peer once the channels are closed */
    int end[2];     /* pipe: a byte for each receiver that shares, once all have their stops */
    int tally_fd;
    _Atomic uint8_t *tally; /* [sender][message]: how often it was received */
};

/* Opens the channels, starts the peers, waits until they have attached, closes the channels, lets them go.
 * Any failure fails the test. False if the channel was refused, as it may be: then there are no peers, and
 * peers_finish is still owed. */
bool peers_start(struct peers *peers, const struct peers_plan *plan);
/* Waits for the reports of all that receive shared, and lets them look for the end. */
void peers_let_end(struct peers *peers);
/* Waits for the byte of an act. */
void peers_await_report(struct peers *peers);
/* The peer's exit status within the time; -1 when it is still running then (it is killed), 128 + n for a
 * signal. */
int peers_await_exit(struct peers *peers, int which, int64_t timeout_ns);
void peers_kill(struct peers *peers, int which);
/* How many messages of all senders were not received exactly once. */
size_t peers_count_amiss(const struct peers *peers);
/* Asserts that nothing is left: no file, no System V segment, none of the names that were recorded. */
void peers_finish(struct peers *peers);

/* Open descriptors of this process. */
int peers_count_descriptors(void);
/* System V segments created by this process. */
int peers_count_segments(void);

#endif
