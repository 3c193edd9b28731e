#include "workers/distance.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>

#include "common/clock.h"

#define PROBE_NS (3 * NS_PER_MS)
enum { PINGS_A_SAMPLE = 50, SAMPLES_MIN = 8, SAMPLES_MAX = 256, LOOKS = 2000 };

/* The word holds the number of the probe in its upper half, so that an answer to an earlier probe that was
 * given up is not taken for one to this, and in the lower half the ping: odd from who asks, even back. */
static uint64_t word_of(uint32_t number, uint32_t ping)
{
    return (uint64_t)number << 32 | ping;
}
#define PING_STOP UINT32_MAX

/* Until the word becomes one of the two; which one, or 0 when the time is over. No pause between the looks:
 * it takes as long as what is being measured. *yielded if the CPU was offered to others meanwhile. */
static uint64_t await_word(_Atomic uint64_t *word, uint64_t wanted, uint64_t stop, int64_t deadline_ns,
                           bool *yielded)
{
    for (;;) {
        for (int i = 0; i < LOOKS; i++) {
            uint64_t now = atomic_load_explicit(word, memory_order_acquire);
            if (now == wanted || now == stop)
                return now;
        }
        if (clock_now_ns() > deadline_ns)
            return 0;
        sched_yield(); /* the other may be waiting for this CPU */
        *yielded = true;
    }
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The time of one sample; 0 when it was the scheduler that carried a ping, which says nothing about distance:
 * on one CPU each takes a change of process, some 2 us, and would pass for a very long way. Negative when the
 * time is over. */
static int64_t take_sample(struct control *control, uint32_t number, uint32_t *ping, int64_t deadline_ns)
{
    bool yielded = false;
    int64_t before = clock_now_ns();
    for (int i = 0; i < PINGS_A_SAMPLE; i++, *ping += 2) {
        atomic_store_explicit(&control->ping, word_of(number, *ping), memory_order_release);
        if (await_word(&control->ping, word_of(number, *ping + 1), word_of(number, PING_STOP), deadline_ns,
                       &yielded) == 0)
            return -1;
    }
    int64_t now = clock_now_ns();
    if (now > deadline_ns)
        return -1;
    return yielded ? 0 : now - before;
}

/* Without a distance: either there is none to cross, or a CPU was taken away, which says nothing. */
static double explain(struct control *control, uint32_t number)
{
    uint64_t answered_at = atomic_load_explicit(&control->answered_at, memory_order_relaxed);
    return answered_at == word_of(number, (uint32_t)sched_getcpu()) ? 0 : NAN;
}

static double measure(struct control *control, uint32_t number)
{
    int64_t samples[SAMPLES_MAX];
    size_t count = 0;
    uint32_t ping = 1;
    int64_t deadline = clock_now_ns() + PROBE_NS;
    while (count < SAMPLES_MAX) {
        int64_t sample = take_sample(control, number, &ping, deadline);
        if (sample < 0)
            break;
        if (sample > 0)
            samples[count++] = sample;
    }
    atomic_store_explicit(&control->ping, word_of(number, PING_STOP), memory_order_release);
    if (count < SAMPLES_MIN)
        return explain(control, number);
    qsort(samples, count, sizeof *samples, compare_times);
    /* What disturbs a sample only ever makes it longer, so the lower quartile is nearer to the truth. */
    size_t quartile = count / 4;
    return (double)samples[quartile] / (2.0 * PINGS_A_SAMPLE);
}

static void answer(struct control *control, uint32_t number)
{
    int64_t deadline = clock_now_ns() + 2 * PROBE_NS;
    uint64_t stop = word_of(number, PING_STOP);
    bool yielded = false;
    atomic_store_explicit(&control->answered_at, word_of(number, (uint32_t)sched_getcpu()),
                          memory_order_relaxed);
    for (uint32_t ping = 1;; ping += 2) {
        uint64_t got = await_word(&control->ping, word_of(number, ping), stop, deadline, &yielded);
        if (got == 0 || got == stop)
            return;
        atomic_store_explicit(&control->ping, word_of(number, ping + 1), memory_order_release);
    }
}

void distance_probe(struct control *control, int worker, int answerer, uint32_t number)
{
    if (worker == answerer - 1)
        control->distance_ns = measure(control, number);
    else if (worker == answerer)
        answer(control, number);
}
