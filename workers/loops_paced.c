/* A round trip at a fixed rate: latency under load.
 *
 * The times at which messages are to be sent are fixed beforehand. A latency runs from that time, not from
 * the moment at which the message was in fact sent: a message that had to wait because an earlier answer was
 * late has waited, and a loop that only measured what it managed to send would leave out just the bad
 * moments. That fault is called coordinated omission: G. Tene, How NOT to Measure Latency (Strange Loop
 * 2015); his wrk2 corrects it in the same way. One message is under way at a time; those that are due queue
 * up behind it, as before any server that takes one after the other, and a backlog goes on into the next
 * block.
 *
 * Until the next time the sender spins where it may spin anyway; otherwise it sleeps, and spins only the last
 * moments, because a timer wakes late by more than many a latency. Its peer is asleep then: nothing that
 * could run is kept from the CPU. */
#include <errno.h>
#include <math.h>

#include "common/clock.h"
#include "workers/loops.h"
#include "workers/pause.h"

/* About the time in which a timer wakes a sleeper. */
#define SPUN_NS INT64_C(100000)

/* The time when it is over. */
static int64_t wait_until(const struct loop_state *state, int64_t moment_ns)
{
    int64_t now = clock_now_ns();
    if (!state->spins && moment_ns - now > 2 * SPUN_NS) {
        int64_t wake_ns = moment_ns - SPUN_NS;
        struct timespec wake = {.tv_sec = wake_ns / NS_PER_S, .tv_nsec = wake_ns % NS_PER_S};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL) == EINTR)
            ; /* a mechanism may use signals */
        now = clock_now_ns();
    }
    while (now < moment_ns) {
        cpu_pause();
        now = clock_now_ns();
    }
    return now;
}

static void record(struct loop_state *state, const struct block *block, int64_t latency_ns, int64_t trip_ns)
{
    histogram_record(&state->histogram, latency_ns);
    if (!block->kept)
        return;
    lag_add(&state->lag, (double)latency_ns);
    if (trip_ns > state->gap_ns_max)
        state->gap_ns_max = trip_ns;
}

int loop_ask_paced(struct loop_state *state, struct block *block)
{
    struct control_block *announced = loop_control_block(state, state->sender);
    const double period_ns = (double)NS_PER_S / state->rate_hz;
    block->begin_ns = clock_now_ns();
    const int64_t end = block->begin_ns + block->duration_ns;
    const int64_t first = block->begin_ns - state->backlog_ns;
    const uint64_t planned = (uint64_t)fmax(1, ceil((double)(end - first) / period_ns));
    uint64_t asked = 0;
    for (bool last = false; !last; asked++) {
        const int64_t due = first + (int64_t)((double)asked * period_ns);
        const int64_t sent = wait_until(state, due);
        last = asked + 1 == planned || sent >= end;
        if (last)
            control_announce_last(announced, state->sequence);
        int answered = loop_ask(state, block->verify);
        if (answered < 0)
            return answered;
        const int64_t now = clock_now_ns();
        if (answered > 0)
            record(state, block, now - due, now - sent);
        block->messages += (uint64_t)answered;
        block->end_ns = now;
    }
    control_finish_block(announced);
    const int64_t next = first + (int64_t)((double)asked * period_ns);
    state->backlog_ns = block->end_ns > next ? block->end_ns - next : 0;
    if (block->kept && next > block->end_ns) {
        wait_until(state, next);
        block->end_ns = next; /* the last message's period is part of the stretch, a late wake-up is not */
    }
    return 0;
}
