#include "workers/mechanisms/in_step.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "workers/pause.h"
#include "workers/payload.h"

enum {
    NAP_NS = 50000,
    SAMPLE_BYTES = PAYLOAD_TRAILER_FROM_BYTES + 8 /* up to the first word of the filling */
};

static const char kind[] = "count";

/* The sender's alone. What is beside the count changes only while the receiver has caught up with it: between
 * two blocks. */
struct in_step_count {
    alignas(128) _Atomic uint64_t sent;
    _Atomic uint64_t first;
    _Atomic uint32_t sender, verify;
};

int in_step_open(void *state, struct channel *channel, struct err *err)
{
    struct in_step *step = state;
    if (channel->buffer_bytes > 0)
        return err_set(err, EINVAL, "a control has no buffer to be set: leave buffer_bytes out");
    int result = presence_open(&step->presence, channel, err);
    return result < 0 ? result
                      : shared_file_create(&step->file, channel, kind, sizeof(struct in_step_count), err);
}

int in_step_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct in_step *step = state;
    int result = shared_file_open(&step->file, channel, kind, err);
    if (result < 0)
        return result;
    step->count = step->file.memory;
    step->sends = seat.side == SEAT_SENDER;
    step->naps = channel->wait == WAIT_BLOCK;
    step->endpoint = (struct endpoint){.buffer_bytes = 0};
    return presence_attach(&step->presence, channel, seat, err);
}

void in_step_detach(void *state)
{
    struct in_step *step = state;
    presence_detach(&step->presence);
    shared_file_unmap(&step->file);
}

void in_step_close(void *state, const struct channel *channel)
{
    struct in_step *step = state;
    presence_close(&step->presence, channel);
    shared_file_remove(&step->file, channel, kind);
}

/* The mechanism is not told how far messages are filled; the first word of the filling says it. */
static enum verify verify_of(const void *message, size_t bytes, uint64_t sequence)
{
    size_t sample = bytes < SAMPLE_BYTES ? bytes : SAMPLE_BYTES;
    return payload_is_filled(message, sample, sequence) ? VERIFY_FULL : VERIFY_HEADER;
}

/* Before the first message is counted. */
static void introduce(struct in_step *step, const void *message, size_t bytes)
{
    step->first = payload_sequence(message, bytes, 1);
    if (bytes >= PAYLOAD_HEADER_BYTES)
        step->sender = payload_header_of(message).sender;
    atomic_store_explicit(&step->count->first, step->first, memory_order_relaxed);
    atomic_store_explicit(&step->count->sender, step->sender, memory_order_relaxed);
}

ssize_t in_step_send(void *state, const void *message, size_t bytes)
{
    struct in_step *step = state;
    if (!step->sends)
        return (ssize_t)bytes; /* the asker has its answer already, and may be gone */
    if (presence_is_lost(&step->presence))
        return -EPIPE;
    if (__builtin_expect(step->position == 0, 0))
        introduce(step, message, bytes);
    step->verify = verify_of(message, bytes, step->first + step->position);
    atomic_store_explicit(&step->count->verify, (uint32_t)step->verify, memory_order_relaxed);
    atomic_store_explicit(&step->count->sent, ++step->position, memory_order_release);
    return (ssize_t)bytes;
}

static bool is_counted(struct in_step *step)
{
    const struct in_step_count *count = step->count;
    step->seen = atomic_load_explicit(&count->sent, memory_order_acquire);
    step->first = atomic_load_explicit(&count->first, memory_order_relaxed);
    step->sender = atomic_load_explicit(&count->sender, memory_order_relaxed);
    step->verify = (enum verify)atomic_load_explicit(&count->verify, memory_order_relaxed);
    return step->seen > step->position;
}

static bool await_count(struct in_step *step)
{
    while (!is_counted(step)) {
        if (presence_is_lost(&step->presence))
            return is_counted(step);
        if (step->naps)
            nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
        else
            cpu_pause();
    }
    return true;
}

ssize_t in_step_receive(void *state, void *message, size_t bytes)
{
    struct in_step *step = state;
    uint64_t answered = step->position - 1;
    if (!step->sends) {
        if (step->position == step->seen && !await_count(step))
            return 0;
        answered = step->position++;
    }
    payload_write(message, bytes, step->first + answered, step->sender, step->verify);
    return (ssize_t)bytes;
}
