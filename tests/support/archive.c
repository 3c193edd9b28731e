#include "tests/support/archive.h"

#include <err.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/histogram.h"
#include "common/series.h"

const struct store_case archive_cases[ARCHIVE_CASES] = {
    {.number = 0,
     .key = {.mechanism = "pipe",
             .pattern = PATTERN_ROUND_TRIP,
             .message_bytes = 64,
             .wait = WAIT_BLOCK,
             .placement = PLACEMENT_TWO_CPUS,
             .relation = RELATION_RELATED,
             .senders = 1,
             .receivers = 1,
             .buffer_bytes = 65536}},
    {.number = 1,
     .key = {.mechanism = "tcp",
             .pattern = PATTERN_PACED,
             .message_bytes = 65536,
             .wait = WAIT_POLL,
             .placement = PLACEMENT_FREE,
             .relation = RELATION_UNRELATED,
             .senders = 3,
             .receivers = 2,
             .rate_hz = 12.5}},
};

struct store_run archive_run(const char *name)
{
    static uint64_t made;
    struct store_run run = {
        .created_ms = 1700000000000 + (int64_t)made,
        .trials_total = 4,
        .experiment_hash = "00112233445566778899aabbccddeeff",
        .name = (char *)(uintptr_t)name, /* borrowed: such a run is never given to store_run_fini */
        .note = (char *)(uintptr_t) "what was tried",
        .tags = (char *)(uintptr_t) "[\"demo\"]",
        .experiment = (char *)(uintptr_t) "{\"preset\":\"quick\"}",
        .isolation = NULL,
        .skipped = (char *)(uintptr_t) "[{\"mechanism\":\"mq_posix\",\"reason\":\"not mounted\"}]",
    };
    snprintf(run.uid, sizeof run.uid, "01J%023" PRIu64, ++made);
    return run;
}

int64_t archive_add_run(struct store *store, const char *name, struct err *err)
{
    struct store_run run = archive_run(name);
    int rc = store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, err);
    return rc < 0 ? rc : run.id;
}

static void fill_histogram(struct text *blob, int samples)
{
    AUTO_FREE struct histogram *histogram = calloc(1, sizeof *histogram);
    if (histogram == NULL)
        errx(EXIT_FAILURE, "no memory for a histogram");
    for (int i = 0; i < samples; i++)
        histogram_record(histogram, 1000 + (int64_t)i * i % 90000);
    histogram_encode(histogram, blob);
}

static void fill_series(struct text *blob, int count)
{
    struct frame_block blocks[FRAME_BLOCKS_MAX];
    if (count > FRAME_BLOCKS_MAX)
        count = FRAME_BLOCKS_MAX;
    for (int i = 0; i < count; i++)
        blocks[i] = (struct frame_block){.begin_ns = i * INT64_C(2500000),
                                         .duration_ns = 2400000 + i,
                                         .messages = 400 + (uint64_t)i % 7,
                                         .latency_p50_ns = i % 10 == 9 ? (double)NAN : 6000 + i % 50};
    series_encode(blocks, (size_t)count, blob);
}

struct store_trial archive_trial(int64_t run_id, int64_t sequence, int samples)
{
    double base = (double)(run_id * 1000 + sequence);
    struct store_trial trial = {
        .run_id = run_id,
        .case_number = (int)(sequence % ARCHIVE_CASES),
        .sequence = sequence,
        .attempt = 1,
        .done = true,
        .started_ms = 1700000000000 + sequence,
        .duration_ns = 250000001,
        .messages = 40001,
        .batch = 2,
        .samples = 20003,
        .system_calls = 160004,
        .latency_p50_ns = base + 0.5,
        .latency_p90_ns = base + 0.9,
        .latency_p99_ns = base + 0.99,
        .latency_p999_ns = base + 0.999,
        .latency_min_ns = base + 0.1,
        .latency_max_ns = base + 1e6,
        .messages_per_s = 160000.25,
        .bytes_per_s = 10240016.5,
        .cpu_user_ns = 100000005,
        .cpu_system_ns = 90000006,
        .voluntary_switches = 80007,
        .involuntary_switches = 8,
        .minor_faults = 109,
        .major_faults = 1,
        .run_delay_ns = 110011,
        .gap_ns_max = 12012,
        .buffer_bytes = 65536,
        .steal_ns = 20000000,
        .load = 1.25,
        .frequency_hz = 3.5e9,
        .achieved_hz = 12.25,
        .autocorrelation = -0.125,
        .drift_ratio = 1.03,
        .lost = 13,
        .torn = 14,
        .duplicated = 15,
        .reordered = 16,
        .distance = DISTANCE_C,
        .distance_count = 3,
        .distance_ns = {52.1, 51.9, 54.0},
        .flags = "gap few_samples",
    };
    fill_histogram(&trial.histogram, samples);
    fill_series(&trial.series, 1 + samples / 100);
    return trial;
}

static void end_with(void *context, const char *finding)
{
    (void)context;
    errx(EXIT_FAILURE, "the archive is not whole: %s", finding);
}

void archive_must_be_whole(struct store *store)
{
    struct err err = {0};
    int64_t findings = 0;
    if (store_verify(store, end_with, NULL, &findings, &err) < 0)
        errx(EXIT_FAILURE, "the archive cannot be verified: %s", err.text);
}
