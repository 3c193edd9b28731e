#include "common/series.h"

#include <errno.h>
#include <math.h>

#include "common/bytes.h"

enum { SERIES_VERSION = 1 };

void series_encode(const struct frame_block *blocks, size_t count, struct text *blob)
{
    size_t begin = blob->length;
    text_append_char(blob, SERIES_VERSION);
    bytes_append_varint(blob, count);
    int64_t previous = 0;
    for (size_t i = 0; i < count; i++) {
        bytes_append_varint(blob, (uint64_t)(blocks[i].begin_ns - previous));
        previous = blocks[i].begin_ns;
    }
    for (size_t i = 0; i < count; i++)
        bytes_append_varint(blob, (uint64_t)blocks[i].duration_ns);
    for (size_t i = 0; i < count; i++)
        bytes_append_varint(blob, blocks[i].messages);
    /* 0 stands for "no latency", everything else is shifted up by one nanosecond. */
    for (size_t i = 0; i < count; i++)
        bytes_append_varint(
            blob, isnan(blocks[i].latency_p50_ns) ? 0 : 1 + (uint64_t)llround(blocks[i].latency_p50_ns));
    bytes_append_crc32(blob, begin);
}

int series_decode(const void *blob, size_t blob_bytes, struct frame_block *blocks, size_t blocks_max,
                  size_t *count, struct err *err)
{
    struct bytes_reader reader;
    if (!bytes_reader_open(&reader, blob, blob_bytes))
        return err_set(err, EBADMSG, "series: checksum does not match");
    if (bytes_read_byte(&reader) != SERIES_VERSION)
        return err_set(err, EPROTO, "series: unknown version");
    uint64_t entries = bytes_read_varint(&reader);
    if (entries > blocks_max)
        return err_set(err, EPROTO, "series: too many entries");
    uint64_t begin = 0;
    for (size_t i = 0; i < entries; i++) {
        begin += bytes_read_varint(&reader);
        blocks[i].begin_ns = (int64_t)(begin & INT64_MAX);
    }
    for (size_t i = 0; i < entries; i++)
        blocks[i].duration_ns = (int64_t)(bytes_read_varint(&reader) & INT64_MAX);
    for (size_t i = 0; i < entries; i++)
        blocks[i].messages = bytes_read_varint(&reader);
    for (size_t i = 0; i < entries; i++) {
        uint64_t shifted = bytes_read_varint(&reader);
        blocks[i].latency_p50_ns = shifted == 0 ? NAN : (double)(shifted - 1);
    }
    if (reader.failed || reader.at != reader.end)
        return err_set(err, EPROTO, "series: columns do not add up");
    *count = (size_t)entries;
    return 0;
}

void series_write(struct json_writer *writer, const char *name, const void *blob, size_t blob_bytes)
{
    struct frame_block blocks[FRAME_BLOCKS_MAX];
    size_t count = 0;
    if (blob_bytes == 0 || series_decode(blob, blob_bytes, blocks, FRAME_BLOCKS_MAX, &count, NULL) < 0) {
        json_write_null(writer, name);
        return;
    }
    json_begin_object(writer, name);
    json_begin_array(writer, "begin_ns");
    for (size_t i = 0; i < count; i++)
        json_write_integer(writer, NULL, blocks[i].begin_ns);
    json_end_array(writer);
    json_begin_array(writer, "duration_ns");
    for (size_t i = 0; i < count; i++)
        json_write_integer(writer, NULL, blocks[i].duration_ns);
    json_end_array(writer);
    json_begin_array(writer, "messages");
    for (size_t i = 0; i < count; i++)
        json_write_unsigned(writer, NULL, blocks[i].messages);
    json_end_array(writer);
    json_begin_array(writer, "latency_p50_ns");
    for (size_t i = 0; i < count; i++)
        json_write_number(writer, NULL, blocks[i].latency_p50_ns);
    json_end_array(writer);
    json_end_object(writer);
}
