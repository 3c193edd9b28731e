/* The file to copy: a mechanism that is complete and carries nothing.
 *
 * Begin with what the mechanism is, in three or four sentences, for somebody who has not used it; before each
 * system call say what the kernel does there. Then add one line to table.c. The conformance suite reads that
 * table and needs no change. This file is compiled, so that it cannot fall behind the interface. */
#include <errno.h>

#include "workers/mechanisms/mechanism.h"

/* One for each channel and process, zeroed before open in the leader and before attach in an unrelated
 * worker. A related worker has the leader's as it was after open. */
struct skeleton {
    struct endpoint endpoint; /* first: read by the timed loop between blocks */
};

/* Is it to be had on this machine? Tries the cheapest thing that fails where it is not, and undoes it. The
 * text of the error is shown to the user: name the setting that would help. */
static int skeleton_probe(struct err *err)
{
    return err_set(err, ENOSYS, "the skeleton carries no messages");
}

/* Leader: creates the object and writes the name by which a stranger finds it into channel->address. Names
 * outside channel->directory go through names_record first. Descriptors are close-on-exec. When it fails,
 * close is called all the same. */
static int skeleton_open(void *state, struct channel *channel, struct err *err)
{
    (void)state;
    (void)channel;
    return err_set(err, ENOSYS, "the skeleton opens nothing");
}

/* Worker: takes a seat; with everything inherited from open, or with channel->address alone. Closes what the
 * seat does not need, touches every page it will use, and sets endpoint.buffer_bytes. May wait for the other
 * side to come, within a bound. */
static int skeleton_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    (void)state;
    (void)channel;
    (void)seat;
    return err_set(err, ENOSYS, "the skeleton has no seats");
}

/* Hot: no allocation, no logging. Returns bytes, or -errno; -EPIPE when nobody can receive any more. Counts
 * its system calls. */
static ssize_t skeleton_send(void *state, const void *message, size_t bytes)
{
    (void)state;
    (void)message;
    (void)bytes;
    return -EPIPE;
}

/* Hot: exactly bytes, or 0 when the other side has gone and all it sent was received, or -errno. Must notice
 * a peer that was killed within MECHANISM_PEER_CHECK_NS. */
static ssize_t skeleton_receive(void *state, void *message, size_t bytes)
{
    (void)state;
    (void)message;
    (void)bytes;
    return 0;
}

/* Worker: leaves its seat, so that the other side comes to the end of the stream. */
static void skeleton_detach(void *state)
{
    (void)state;
}

/* Leader: gives back what open took, the name above all; the workers' channel lives on. Called once every
 * worker has attached, or when the trial fails before that. */
static void skeleton_close(void *state, const struct channel *channel)
{
    (void)state;
    (void)channel;
}

const struct mechanism skeleton_mechanism = {
    .name = "skeleton",
    .title = "Skeleton",
    .family = "technique",
    .traits = TRAIT_SYNCHRONISES,
    .waits = 1u << WAIT_BLOCK,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct skeleton),
    .probe = skeleton_probe,
    .open = skeleton_open,
    .attach = skeleton_attach,
    .send = skeleton_send,
    .receive = skeleton_receive,
    .detach = skeleton_detach,
    .close = skeleton_close,
};
