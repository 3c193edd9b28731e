/* mechanism: one way for processes to exchange messages, as a constant table of functions.
 *
 * One mechanism is one file that ends in one designated-initialiser struct, and one line in table.c;
 * skeleton.c is the file to copy. The life of a channel:
 *
 *   leader   probe → open → (starts the workers) …………………………… → close
 *   worker                    attach → send / receive … → detach
 *
 * The leader calls close as soon as every worker has attached: names are gone while the object lives on, so
 * that a crew killed at any later moment leaves nothing. A name outside the crew's directory is written down
 * (workers/names.h) before it is created, for a crew that is killed before that. The few objects whose
 * removal ends them under the workers' hands (System V queues and semaphores) close leaves alone; they go, by
 * their recorded names, once the last worker is gone (names_clear). A related worker inherits the state that
 * open filled (fork); an unrelated one gets a zeroed state and finds the object by channel->address alone.
 *
 * A mechanism without TRAIT_DUPLEX is given two channels for a round trip, one each way; the workers attach
 * to them in the same order.
 *
 * Errors: open, attach and probe return 0 or -errno with *err filled. send and receive return bytes, or
 * -errno; receive returns 0 at the end of the stream, that is after the peer detached or died and all it sent
 * was received, and -EPIPE when it ends inside a message; send returns -EPIPE or -ECONNRESET when nobody can
 * receive any more. Both loop over short transfers, interruptions and, with wait poll, over EAGAIN. A peer
 * that dies must not leave a caller waiting longer than MECHANISM_PEER_CHECK_NS. SIGPIPE is ignored in
 * workers, so that writing to nobody is an answer (EPIPE) and not a death.
 *
 * Loss: a mechanism that may drop messages must not wait for one for ever. Its receive answers -EAGAIN (or
 * -ETIMEDOUT) when nothing has come for MECHANISM_PEER_CHECK_NS; the loop knows from the control page whether
 * that was the end of the block, and counts. Whatever was sent before such a wait began has to be received by
 * it.
 *
 * Buffers: where channel->buffer_bytes is asked for, open or attach grants at least that or fails with words
 * that name what is granted and the setting that bounds it. endpoint.buffer_bytes says what was granted, in
 * the kernel's own count.
 *
 * Several senders or receivers (TRAIT_MANY_…; only streams have them): each message goes to one receiver, a
 * sender's messages stay in order on their way to each of them. Either all receivers take from one queue, or
 * a sender gives its messages to receiver 0, 1, 2 … in turn, beginning anew after the last: a block ends by
 * each sender sending as many stop messages as there are receivers, and each receiver taking as many as there
 * are senders, which comes out even in both cases.
 *
 * Threads: none. A state belongs to one process after attach. */
#ifndef IPCLAB_WORKERS_MECHANISM_H
#define IPCLAB_WORKERS_MECHANISM_H

#include <stdint.h>
#include <sys/types.h>

#include "common/catalogue.h"
#include "common/err.h"
#include "common/words.h"

#define MECHANISM_PEER_CHECK_NS (200 * INT64_C(1000000))
enum {
    CHANNEL_ADDRESS_BYTES = 256,
    MECHANISM_STATE_BYTES_MAX = 4096,
    MESSAGE_BYTES_MAX = 16 * 1024 * 1024, /* the most of any, and of those that have no bound of their own */
};

/* What a channel is to be; filled by the leader before open, the same in every worker. */
struct channel {
    int64_t message_bytes; /* of every message of the trial */
    int64_t buffer_bytes;  /* asked for; 0 = the mechanism's choice for the pattern */
    enum pattern pattern;
    enum wait wait;
    int senders, receivers;
    int number;                          /* 0, or 1 for the way back: part of the names a channel makes */
    const char *directory;               /* private to the crew: FIFOs, sockets and files go here */
    char address[CHANNEL_ADDRESS_BYTES]; /* written by open: the path, key or port by which a stranger finds
                                            it */
};

/* The place a worker takes at a channel. With a duplex mechanism a sender also receives the answers. */
enum seat_side { SEAT_SENDER, SEAT_RECEIVER };
struct seat {
    enum seat_side side;
    int index; /* 0 … senders-1 or receivers-1 */
};

/* Every mechanism's state begins with this. */
struct endpoint {
    int64_t buffer_bytes;  /* granted; 0 where the word means nothing. Set by attach */
    uint64_t system_calls; /* made by send and receive so far */
};

struct mechanism {
    const char *name, *title, *family;
    uint32_t traits;           /* enum mechanism_traits */
    uint32_t waits;            /* the ways it can wait, a bit 1u << WAIT_… each */
    int64_t message_bytes_max; /* on any machine */
    /* Optional, where settings of the machine decide: the bound on this one, and the settings' names. */
    int64_t (*message_bytes_limit)(void);
    const char *message_bytes_settings;
    size_t state_bytes;
    int (*probe)(struct err *err);                                      /* is it usable on this machine? */
    int (*open)(void *state, struct channel *channel, struct err *err); /* leader, before the workers exist */
    int (*attach)(void *state, const struct channel *channel, struct seat seat, struct err *err);
    ssize_t (*send)(void *state, const void *message, size_t bytes); /* hot */
    ssize_t (*receive)(void *state, void *message,
                       size_t bytes); /* hot; exactly bytes, 0 at the end, -errno */
    void (*flush)(void *state); /* optional: lets go what send may be holding back, at the end of a block */
    void (*detach)(void *state);
    void (*close)(void *state,
                  const struct channel *channel); /* leader; safe after a failed open; removes names */
    /* Only for names outside channel->directory: removes one that open wrote down with names_record, if it is
     * still there and still ours. */
    int (*remove_name)(const char *name, struct err *err);
};

/* All mechanisms, in the order of the page. The table ends with NULL. */
extern const struct mechanism *const mechanism_table[];
const struct mechanism *mechanism_find(const char *name);
/* The largest message it carries on this machine, at most MESSAGE_BYTES_MAX; 0 if it cannot be known. */
int64_t mechanism_message_bytes_max(const struct mechanism *mechanism);
/* -EMSGSIZE, the bound and what to change, for a message that is larger. */
int mechanism_check_message_bytes(const struct mechanism *mechanism, int64_t bytes, struct err *err);

#endif
