#include "workers/overhead.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "workers/loops.h"

/* The median of many short batches: what interrupts some of them does not show. */
enum {
    BATCHES = 41,
    BATCH_NS = 100000,
    LOOP_BLOCKS = 15,
    LOOP_BLOCK_NS = 1000000,
    HEADER_BYTES = 64,
    FULL_BYTES = 16 * 1024,
    KIB = 1024
};

/* What is timed: the operation, so many times. */
struct bench {
    struct loop_state state;
    unsigned char sent[FULL_BYTES], received[FULL_BYTES];
};

static int64_t sink; /* keeps the compiler from leaving the work out */

static void read_clock(struct bench *bench, uint64_t times)
{
    (void)bench;
    int64_t sum = 0;
    for (uint64_t i = 0; i < times; i++)
        sum ^= clock_now_ns();
    sink = sum;
}

/* Values as they come: in a few buckets, next to each other. */
static void count_latency(struct bench *bench, uint64_t times)
{
    for (uint64_t i = 0; i < times; i++)
        histogram_record(&bench->state.histogram, (int64_t)(5000 + (i * 37 & 1023)));
}

static void verify(struct bench *bench, uint64_t times, size_t bytes, enum verify mode)
{
    struct loop_state *state = &bench->state;
    for (uint64_t i = 0; i < times; i++) {
        payload_write(bench->sent, bytes, state->check.expected, 0, mode);
        __asm__ volatile("" : : "r"(bench->sent) : "memory");
        payload_check(&state->check, bench->sent, bytes, 0, mode);
    }
}

static void verify_header(struct bench *bench, uint64_t times)
{
    verify(bench, times, HEADER_BYTES, VERIFY_HEADER);
}

static void verify_full(struct bench *bench, uint64_t times)
{
    verify(bench, times, FULL_BYTES, VERIFY_FULL);
}

/* A mechanism whose answer is there already: in the buffer it was sent from. */
static ssize_t nothing_send(void *state, const void *message, size_t bytes)
{
    (void)state;
    (void)message;
    return (ssize_t)bytes;
}

static ssize_t nothing_receive(void *state, void *message, size_t bytes)
{
    (void)state;
    (void)message;
    return (ssize_t)bytes;
}

static const struct mechanism nothing = {.name = "nothing", .send = nothing_send, .receive = nothing_receive};

static int compare_times(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median_of(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare_times);
    return samples[count / 2];
}

static double time_of(void (*operation)(struct bench *bench, uint64_t times), struct bench *bench)
{
    uint64_t times = 1;
    double samples[BATCHES];
    for (int64_t taken = 0; taken < BATCH_NS;) {
        times *= 2;
        int64_t before = clock_now_ns();
        operation(bench, times);
        taken = clock_now_ns() - before;
    }
    for (size_t i = 0; i < BATCHES; i++) {
        int64_t before = clock_now_ns();
        operation(bench, times);
        samples[i] = (double)(clock_now_ns() - before) / (double)times;
    }
    return median_of(samples, BATCHES);
}

/* The round trip's own loop, for blocks of its own. */
static double time_of_loop(struct bench *bench)
{
    double samples[LOOP_BLOCKS];
    struct loop_state *state = &bench->state;
    state->mechanism = &nothing;
    state->sent = state->received = bench->sent;
    state->message_bytes = HEADER_BYTES;
    state->batch = 1;
    state->sequence = state->check.expected = 1;
    for (size_t i = 0; i < LOOP_BLOCKS; i++) {
        struct block block = {.duration_ns = LOOP_BLOCK_NS, .verify = VERIFY_HEADER, .kept = true};
        if (loop_for(PATTERN_ROUND_TRIP, SEAT_SENDER).run(state, &block) < 0 || block.messages == 0)
            return 0;
        samples[i] = (double)(block.end_ns - block.begin_ns) / (double)block.messages;
    }
    return median_of(samples, LOOP_BLOCKS);
}

int overhead_measure(struct overhead *overhead, struct err *err)
{
    AUTO_CLOSE int control_fd = -1;
    AUTO_FREE struct bench *bench = calloc(1, sizeof *bench);
    if (bench == NULL)
        return err_set(err, ENOMEM, "out of memory");
    bench->state.control = control_create(&control_fd, err);
    if (bench->state.control == NULL)
        return -err->code;
    bench->state.check.expected = 1;
    *overhead = (struct overhead){
        .clock_ns = time_of(read_clock, bench),
        .histogram_ns = time_of(count_latency, bench),
        .verify_header_ns = time_of(verify_header, bench),
        .verify_full_ns_per_kib = time_of(verify_full, bench) * KIB / FULL_BYTES,
        .loop_ns = time_of_loop(bench),
    };
    control_unmap(bench->state.control);
    return 0;
}

int overhead_main(int argument_count, char **arguments)
{
    (void)arguments;
    if (argument_count != 0) {
        fprintf(stderr, "usage: ipclab-worker overhead\n");
        return EXIT_FAILURE;
    }
    struct overhead overhead = {.clock_ns = 0};
    struct err err;
    if (overhead_measure(&overhead, &err) < 0) {
        fprintf(stderr, "ipclab-worker overhead: %s\n", err.text);
        return EXIT_FAILURE;
    }
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_number(&writer, "clock_ns", overhead.clock_ns);
    json_write_number(&writer, "histogram_ns", overhead.histogram_ns);
    json_write_number(&writer, "verify_header_ns", overhead.verify_header_ns);
    json_write_number(&writer, "verify_full_ns_per_kib", overhead.verify_full_ns_per_kib);
    json_write_number(&writer, "loop_ns", overhead.loop_ns);
    json_end_object(&writer);
    return text_ok(&text) && puts(text_string(&text)) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
