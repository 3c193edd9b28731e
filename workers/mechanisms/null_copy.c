/* Null copy: each worker copies its messages within its own memory, and nothing is carried (in_step.h).
 *
 * A mechanism that copies a message in and out again cannot be faster than these two copies, each of which
 * here stays in one process and one CPU's caches: the sender's into a buffer of its own, the receiver's out
 * of one. What another mechanism takes beyond this is not copying. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/in_step.h"
#include "workers/payload.h"

struct null_copy {
    struct in_step step;     /* first: begins with the endpoint */
    unsigned char *out, *in; /* the worker's; NULL: none */
};

static int null_copy_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct null_copy *copy = state;
    copy->out = payload_new_buffer((size_t)channel->message_bytes);
    copy->in = payload_new_buffer((size_t)channel->message_bytes);
    if (copy->out == NULL || copy->in == NULL)
        return err_set(err, ENOMEM, "no memory for messages of %lld bytes",
                       (long long)channel->message_bytes);
    return in_step_attach(&copy->step, channel, seat, err);
}

/* Nobody reads the copy: the compiler must not find out. */
static void copy_bytes(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    __asm__ volatile("" : : "r"(to) : "memory");
}

static ssize_t null_copy_send(void *state, const void *message, size_t bytes)
{
    struct null_copy *copy = state;
    copy_bytes(copy->out, message, bytes);
    return in_step_send(&copy->step, message, bytes);
}

static ssize_t null_copy_receive(void *state, void *message, size_t bytes)
{
    struct null_copy *copy = state;
    ssize_t got = in_step_receive(&copy->step, copy->in, bytes);
    if (got > 0)
        copy_bytes(message, copy->in, bytes);
    return got;
}

static void null_copy_detach(void *state)
{
    struct null_copy *copy = state;
    in_step_detach(&copy->step);
    free(copy->out);
    free(copy->in);
    copy->out = copy->in = NULL;
}

static int null_copy_probe(struct err *err)
{
    (void)err;
    return 0;
}

const struct mechanism null_copy_mechanism = {
    .name = "null_copy",
    .title = "Copies within each process",
    .family = "control",
    .traits = TRAIT_DUPLEX | TRAIT_SYNCHRONISES,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct null_copy),
    .probe = null_copy_probe,
    .open = in_step_open,
    .attach = null_copy_attach,
    .send = null_copy_send,
    .receive = null_copy_receive,
    .detach = null_copy_detach,
    .close = in_step_close,
};
