/* histogram: counts of latencies in nanoseconds, log-linear.
 *
 * The layout is HdrHistogram's at two significant digits: 128 sub-buckets an octave, so a bucket is at most
 * 0.8 % wide, and values below 256 are exact. Values up to HISTOGRAM_VALUE_MAX are kept, larger ones count in
 * the last bucket and keep their exact maximum. Recording is one shift, one add, one increment: fit for a
 * timed loop (about 2 ns).
 *
 * The blob is the archive's form: a version byte, then count, min, max, then varint(index delta),
 * varint(count) pairs, then a CRC-32 of it all. Decoding checks every bound; a damaged blob is refused whole.
 *
 * Source: G. Tene, HdrHistogram, http://hdrhistogram.org. */
#ifndef IPCLAB_COMMON_HISTOGRAM_H
#define IPCLAB_COMMON_HISTOGRAM_H

#include <stdint.h>

#include "common/err.h"
#include "common/text.h"

enum {
    HISTOGRAM_SUB_BITS = 7,
    HISTOGRAM_SUB_COUNT = 1 << HISTOGRAM_SUB_BITS,
    HISTOGRAM_VALUE_BITS = 40, /* about 18 minutes in nanoseconds */
    HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) * HISTOGRAM_SUB_COUNT,
};
#define HISTOGRAM_VALUE_MAX ((INT64_C(1) << HISTOGRAM_VALUE_BITS) - 1)

struct histogram {
    uint64_t count;
    int64_t min; /* exact; only if count > 0 */
    int64_t max; /* exact */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Bucket of a value in [0, HISTOGRAM_VALUE_MAX]. */
static inline uint32_t histogram_index(int64_t value)
{
    if (value < 2 * HISTOGRAM_SUB_COUNT)
        return (uint32_t)value;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll((unsigned long long)value) - HISTOGRAM_SUB_BITS;
    return (shift << HISTOGRAM_SUB_BITS) + (uint32_t)(value >> shift);
}

static inline void histogram_record(struct histogram *histogram, int64_t value)
{
    if (value < 0)
        value = 0;
    if (histogram->count == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->count++;
    histogram->buckets[histogram_index(value <= HISTOGRAM_VALUE_MAX ? value : HISTOGRAM_VALUE_MAX)]++;
}

void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *into, const struct histogram *from);
/* Lowest value of a bucket, and the lowest of the next one. */
int64_t histogram_bucket_low(uint32_t index);
int64_t histogram_bucket_end(uint32_t index);
/* The value at quantile q in [0, 1] by the nearest-rank definition: the middle of the bucket that holds the
 * ceil(q·count)-th value, clamped to [min, max]. NAN when empty. */
double histogram_quantile(const struct histogram *histogram, double q);

void histogram_encode(const struct histogram *histogram, struct text *blob);
int histogram_decode(const void *blob, size_t blob_bytes, struct histogram *histogram, struct err *err);

#endif
