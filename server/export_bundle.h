/* export_bundle: a run as one JSON document, complete and checked.
 *
 *     { "format": "ipclab-run", "version": 1, "program": "ipclab 0.1.0",
 *       "machine": {…} or null, "run": {…},
 *       "cases": [ {…}, … ], "trials": [ {…}, … ], "checksum": "…" }
 *
 * in this order, so that a reader needs no more than one part at a time. Every part ends with "checksum", the
 * CRC-32, in eight hexadecimal digits, of its canonical text without that member: what the writers below
 * write. So white space and the order of members may change on the way, values may not. The last checksum is
 * over those of all parts, in order: none is missing or moved.
 *
 * Left out is what belongs to the archive rather than to the run: ids, the revision, whether it was deleted.
 * Blobs are base64 of the archive's own form, with checksums of their own inside. */
#ifndef IPCLAB_SERVER_EXPORT_BUNDLE_H
#define IPCLAB_SERVER_EXPORT_BUNDLE_H

#include "common/bytes.h"
#include "common/json.h"
#include "db/store.h"

enum { BUNDLE_VERSION = 1, BUNDLE_CHECKSUM_BYTES = 9 };
#define BUNDLE_FORMAT "ipclab-run"

/* The members of a trial that are fields of the same name: FIELD(how it is written, field). */
#define BUNDLE_TRIAL_FIELDS(FIELD)                                                                           \
    FIELD(integer, sequence)                                                                                 \
    FIELD(integer, attempt)                                                                                  \
    FIELD(integer, started_ms)                                                                               \
    FIELD(integer, duration_ns)                                                                              \
    FIELD(unsigned, messages)                                                                                \
    FIELD(unsigned, batch)                                                                                   \
    FIELD(unsigned, samples)                                                                                 \
    FIELD(unsigned, system_calls)                                                                            \
    FIELD(number, latency_p50_ns)                                                                            \
    FIELD(number, latency_p90_ns)                                                                            \
    FIELD(number, latency_p99_ns)                                                                            \
    FIELD(number, latency_p999_ns)                                                                           \
    FIELD(number, latency_min_ns)                                                                            \
    FIELD(number, latency_max_ns)                                                                            \
    FIELD(number, messages_per_s)                                                                            \
    FIELD(number, bytes_per_s)                                                                               \
    FIELD(integer, cpu_user_ns)                                                                              \
    FIELD(integer, cpu_system_ns)                                                                            \
    FIELD(integer, voluntary_switches)                                                                       \
    FIELD(integer, involuntary_switches)                                                                     \
    FIELD(integer, minor_faults)                                                                             \
    FIELD(integer, major_faults)                                                                             \
    FIELD(integer, run_delay_ns)                                                                             \
    FIELD(integer, gap_ns_max)                                                                               \
    FIELD(integer, buffer_bytes)                                                                             \
    FIELD(integer, steal_ns)                                                                                 \
    FIELD(number, load)                                                                                      \
    FIELD(number, frequency_hz)                                                                              \
    FIELD(number, achieved_hz)                                                                               \
    FIELD(number, autocorrelation)                                                                           \
    FIELD(number, drift_ratio)                                                                               \
    FIELD(unsigned, lost)                                                                                    \
    FIELD(unsigned, torn)                                                                                    \
    FIELD(unsigned, duplicated)                                                                              \
    FIELD(unsigned, reordered)

/* One part each, appended as an object with its checksum, which is also copied out. Documents that are JSON
 * inside the archive have to be canonical already, as export_write makes them. */
void bundle_write_machine(struct text *out, const struct store_machine *machine,
                          char checksum[BUNDLE_CHECKSUM_BYTES]);
void bundle_write_run(struct text *out, const struct store_run *run, char checksum[BUNDLE_CHECKSUM_BYTES]);
void bundle_write_case(struct text *out, const struct store_case *one, char checksum[BUNDLE_CHECKSUM_BYTES]);
void bundle_write_trial(struct text *out, const struct store_trial *trial,
                        char checksum[BUNDLE_CHECKSUM_BYTES]);

/* The checksum of all parts, from theirs. */
struct bundle_sum {
    struct text checksums;
};
void bundle_sum_add(struct bundle_sum *sum, const char checksum[BUNDLE_CHECKSUM_BYTES]);
void bundle_sum_write(const struct bundle_sum *sum, char hex[BYTES_HASH_HEX_BYTES]);
static inline void bundle_sum_fini(struct bundle_sum *sum)
{
    text_fini(&sum->checksums);
}

#endif
