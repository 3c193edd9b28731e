/* in_step: two workers that keep in step without a message going from one to the other, for the controls.
 *
 * A control shows what the measuring itself costs, so it must run the same loops in two processes and pass
 * the same checks. What the receiver is to find in a message is known beforehand (workers/payload.h): it
 * depends on the sequence alone. So the sender only counts its messages in shared memory, and the receiver,
 * which may never be ahead of that count, writes each message itself where it was to arrive. Nothing is
 * carried; an asker's answers are its own questions, and it waits for nobody. The receiver waits for the
 * count by napping (block) or by looking again (poll), so that a sender never makes a system call for it. */
#ifndef IPCLAB_WORKERS_MECHANISMS_IN_STEP_H
#define IPCLAB_WORKERS_MECHANISMS_IN_STEP_H

#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/presence.h"

struct in_step_count;

/* Begins with struct endpoint. */
struct in_step {
    struct endpoint endpoint;
    struct presence presence;
    struct shared_file file;
    struct in_step_count *count; /* in it */
    bool sends, naps;
    uint64_t position; /* messages sent, or made up */
    uint64_t seen;     /* of the sender's count, by the receiver */
    uint64_t first;    /* sequence; they follow each other */
    uint32_t sender;
    enum verify verify; /* how far the messages are filled */
};

int in_step_open(void *in_step, struct channel *channel, struct err *err);
int in_step_attach(void *in_step, const struct channel *channel, struct seat seat, struct err *err);
ssize_t in_step_send(void *in_step, const void *message, size_t bytes);
ssize_t in_step_receive(void *in_step, void *message, size_t bytes);
void in_step_detach(void *in_step);
void in_step_close(void *in_step, const struct channel *channel);

#endif
