/* Null: nothing is carried (in_step.h).
 *
 * The control of all figures: the loop, the clock, the histogram, the writing and checking of messages, and a
 * mechanism whose send counts and whose receive makes the message up. What another mechanism takes beyond
 * this is its own; a figure near this one measures the loop. */
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/in_step.h"

static int null_probe(struct err *err)
{
    (void)err;
    return 0;
}

const struct mechanism null_mechanism = {
    .name = "null",
    .title = "Nothing (the empty loop)",
    .family = "control",
    .traits = TRAIT_DUPLEX | TRAIT_SYNCHRONISES,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct in_step),
    .probe = null_probe,
    .open = in_step_open,
    .attach = in_step_attach,
    .send = in_step_send,
    .receive = in_step_receive,
    .detach = in_step_detach,
    .close = in_step_close,
};
