/* One trial as the API shows it. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/histogram.h"
#include "common/series.h"
#include "server/analysis/results.h"
#include "server/analysis/results_parts.h"
#include "server/analysis/statistic.h"

void results_write_words(struct json_writer *writer, const char *name, const char *words)
{
    json_begin_array(writer, name);
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        if (length > 0)
            json_write_string_bytes(writer, NULL, words, length);
        words += length;
        words += strspn(words, " ");
    }
    json_end_array(writer);
}

void results_write_integrity(struct json_writer *writer, uint64_t lost, uint64_t torn, uint64_t duplicated,
                             uint64_t reordered)
{
    json_begin_object(writer, "integrity");
    json_write_unsigned(writer, "lost", lost);
    json_write_unsigned(writer, "torn", torn);
    json_write_unsigned(writer, "duplicated", duplicated);
    json_write_unsigned(writer, "reordered", reordered);
    json_end_object(writer);
}

static void write_trial_latency(struct json_writer *writer, const struct store_trial *trial)
{
    if (trial->samples == 0) {
        json_write_null(writer, "latency_ns");
        return;
    }
    json_begin_object(writer, "latency_ns");
    json_write_number(writer, "min", trial->latency_min_ns);
    json_write_number(writer, "p50", trial->latency_p50_ns);
    json_write_number(writer, "p90", statistic_of_trial(trial, STATISTIC_P90));
    json_write_number(writer, "p99", statistic_of_trial(trial, STATISTIC_P99));
    json_write_number(writer, "p999", statistic_of_trial(trial, STATISTIC_P999));
    json_write_number(writer, "max", trial->latency_max_ns);
    json_end_object(writer);
}

static void write_trial_costs(struct json_writer *writer, const struct store_trial *trial)
{
    json_write_integer(writer, "cpu_ns", trial->cpu_user_ns + trial->cpu_system_ns);
    json_begin_object(writer, "context_switches");
    json_write_integer(writer, "voluntary", trial->voluntary_switches);
    json_write_integer(writer, "involuntary", trial->involuntary_switches);
    json_end_object(writer);
    json_begin_object(writer, "page_faults");
    json_write_integer(writer, "minor", trial->minor_faults);
    json_write_integer(writer, "major", trial->major_faults);
    json_end_object(writer);
    json_write_unsigned(writer, "system_calls", trial->system_calls);
    json_write_integer(writer, "run_delay_ns", trial->run_delay_ns);
    json_write_integer(writer, "gap_ns_max", trial->gap_ns_max);
    json_write_integer(writer, "steal_ns", trial->steal_ns);
    json_write_number(writer, "load", trial->load);
    json_write_number(writer, "frequency_hz", trial->frequency_hz);
    json_write_integer(writer, "buffer_bytes", trial->buffer_bytes);
}

static void write_histogram(struct json_writer *writer, const struct store_trial *trial)
{
    AUTO_FREE struct histogram *histogram = malloc(sizeof *histogram);
    if (histogram == NULL || trial->histogram.length == 0 ||
        histogram_decode(trial->histogram.bytes, trial->histogram.length, histogram, NULL) < 0) {
        json_write_null(writer, "histogram");
        return;
    }
    json_begin_object(writer, "histogram");
    json_write_string(writer, "unit", "ns");
    json_write_unsigned(writer, "count", histogram->count);
    json_begin_array(writer, "buckets");
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] == 0)
            continue;
        json_begin_array(writer, NULL);
        json_write_integer(writer, NULL, histogram_bucket_low(i));
        json_write_integer(writer, NULL, histogram_bucket_end(i));
        json_write_unsigned(writer, NULL, histogram->buckets[i]);
        json_end_array(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

void results_write_trial(struct json_writer *writer, const struct store_trial *trial, unsigned include)
{
    json_begin_object(writer, NULL);
    json_write_integer(writer, "id", trial->id);
    json_write_integer(writer, "case", trial->case_number);
    json_write_integer(writer, "sequence", trial->sequence);
    json_write_integer(writer, "attempt", trial->attempt);
    json_write_string(writer, "state", trial->done ? "done" : "failed");
    json_write_string(writer, "cause", trial->cause[0] != '\0' ? trial->cause : NULL);
    json_write_integer(writer, "started_ms", trial->started_ms);
    json_write_integer(writer, "duration_ns", trial->duration_ns);
    json_write_unsigned(writer, "messages", trial->messages);
    json_write_unsigned(writer, "samples", trial->samples);
    json_write_unsigned(writer, "batch", trial->batch);
    write_trial_latency(writer, trial);
    json_write_number(writer, "messages_per_s", trial->messages_per_s);
    json_write_number(writer, "bytes_per_s", trial->bytes_per_s);
    json_write_number(writer, "achieved_hz", trial->achieved_hz);
    write_trial_costs(writer, trial);
    json_begin_array(writer, "core_distance_ns");
    for (size_t i = 0; i < trial->distance_count; i++)
        json_write_number(writer, NULL, trial->distance_ns[i]);
    json_end_array(writer);
    json_write_string(writer, "distance", trial->distance < 0 ? NULL : distance_names[trial->distance]);
    json_write_number(writer, "autocorrelation", trial->autocorrelation);
    json_write_number(writer, "drift_ratio", trial->drift_ratio);
    results_write_integrity(writer, trial->lost, trial->torn, trial->duplicated, trial->reordered);
    results_write_words(writer, "flags", trial->flags);
    if (include & STORE_TRIAL_HISTOGRAM)
        write_histogram(writer, trial);
    if (include & STORE_TRIAL_SERIES)
        series_write(writer, "series", trial->series.bytes, trial->series.length);
    json_end_object(writer);
}
