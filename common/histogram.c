#include "common/histogram.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/bytes.h"

enum { BLOB_VERSION = 1 };

void histogram_clear(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

void histogram_add(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    into->count += from->count;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

int64_t histogram_bucket_low(uint32_t index)
{
    if (index < 2 * HISTOGRAM_SUB_COUNT)
        return index;
    uint32_t shift = (index >> HISTOGRAM_SUB_BITS) - 1;
    return (int64_t)(index - (shift << HISTOGRAM_SUB_BITS)) << shift;
}

int64_t histogram_bucket_end(uint32_t index)
{
    return histogram_bucket_low(index + 1);
}

double histogram_quantile(const struct histogram *histogram, double q)
{
    if (histogram->count == 0)
        return NAN;
    double rank = ceil(q * (double)histogram->count);
    uint64_t wanted = rank < 1 ? 1 : (uint64_t)rank;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen < wanted)
            continue;
        double low = (double)histogram_bucket_low(i);
        double last = (double)histogram_bucket_end(i) - 1;
        double middle = (low + last) / 2;
        return fmin(fmax(middle, (double)histogram->min), (double)histogram->max);
    }
    return (double)histogram->max;
}

void histogram_encode(const struct histogram *histogram, struct text *blob)
{
    size_t begin = blob->length;
    text_append_char(blob, BLOB_VERSION);
    bytes_append_varint(blob, histogram->count);
    bytes_append_varint(blob, (uint64_t)histogram->min);
    bytes_append_varint(blob, (uint64_t)histogram->max);
    uint32_t previous = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] == 0)
            continue;
        bytes_append_varint(blob, i - previous);
        bytes_append_varint(blob, histogram->buckets[i]);
        previous = i;
    }
    bytes_append_crc32(blob, begin);
}

int histogram_decode(const void *blob, size_t blob_bytes, struct histogram *histogram, struct err *err)
{
    histogram_clear(histogram);
    struct bytes_reader reader;
    if (!bytes_reader_open(&reader, blob, blob_bytes))
        return err_set(err, EBADMSG, "histogram: checksum does not match");
    if (bytes_read_byte(&reader) != BLOB_VERSION)
        return err_set(err, EPROTO, "histogram: unknown version");
    uint64_t count = bytes_read_varint(&reader);
    uint64_t min = bytes_read_varint(&reader);
    uint64_t max = bytes_read_varint(&reader);
    uint64_t sum = 0, index = 0;
    while (!reader.failed && reader.at < reader.end) {
        uint64_t delta = bytes_read_varint(&reader);
        uint64_t in_bucket = bytes_read_varint(&reader);
        if (delta >= HISTOGRAM_BUCKETS - index || in_bucket == 0 || in_bucket > count - sum)
            return err_set(err, EPROTO, "histogram: bucket out of range");
        index += delta;
        sum += in_bucket;
        histogram->buckets[index] += in_bucket;
    }
    if (reader.failed || sum != count || min > INT64_MAX || max > INT64_MAX || (count > 0 && min > max))
        return err_set(err, EPROTO, "histogram: counts do not add up");
    histogram->count = count;
    histogram->min = (int64_t)min;
    histogram->max = (int64_t)max;
    return 0;
}
