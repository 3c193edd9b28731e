#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/frame.h"
#include "common/series.h"
#include "common/ulid.h"
#include "tests/support/criterion.h"

static void fill_result(struct frame *frame)
{
    memset(frame, 0, sizeof *frame);
    frame->type = FRAME_RESULT;
    frame->result = (struct frame_result){
        .messages = 123456789,
        .duration_ns = 250000000,
        .batch = 100,
        .autocorrelation = 0.125,
        .drift_ratio = NAN,
        .steal_ns = 20000000,
        .throttled = 3,
        .frequency_hz = 3500000000,
        .backlog_ns = 77,
        .backlog_grew = true,
        .integrity = {.lost = 1, .torn = 2, .duplicated = 3, .reordered = 4},
        .has_histogram = true,
    };
    for (size_t i = 0; i < 5; i++)
        frame->result.blocks[frame->result.block_count++] = (struct frame_block){
            .begin_ns = (int64_t)i * 50, .duration_ns = 49, .messages = i, .latency_p50_ns = NAN};
    frame->result.distance_ns[frame->result.distance_count++] = 52.25;
    for (int64_t value = 100; value < 3000000; value += value / 7)
        histogram_record(&frame->result.histogram, value);
}

Test(frame, a_result_reads_back_equal)
{
    static struct frame in, out;
    AUTO(text_fini) struct text first = TEXT_EMPTY, second = TEXT_EMPTY;
    struct err err = {.text = ""};
    fill_result(&in);
    frame_encode(&in, &first);
    cr_assert(zero(int, frame_decode(first.bytes, first.length, &out, &err)), "%s", err.text);
    frame_encode(&out, &second);
    cr_expect(eq(str, first.bytes, second.bytes));
    cr_expect(eq(u64, out.result.histogram.count, in.result.histogram.count));
    cr_expect(isnan(out.result.drift_ratio));
    cr_expect(out.result.backlog_grew);
    char *grew = strstr(first.bytes, "\"backlog_grew\":true");
    cr_assert(ne(ptr, grew, NULL));
    memcpy(grew, "\"backlog_grew\":1   ", 19);
    cr_expect(lt(int, frame_decode(first.bytes, first.length, &out, NULL), 0), "a number is no claim");
}

Test(frame, refuses_what_is_not_exactly_one)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"type\":\"hallo\"}",
        "{\"type\":\"go\",\"x\":1}",
        "{\"type\":\"hello\",\"worker\":0}",
        "{\"type\":\"hello\",\"token\":\"t\",\"worker\":99}",
        "{\"type\":\"hello\",\"token\":\"t\",\"worker\":-2}",
        "{\"type\":\"ready\",\"buffer_bytes\":-1,\"cpu\":0}",
        "{\"type\":\"ready\",\"buffer_bytes\":1.5,\"cpu\":0}",
        "{\"type\":\"exit\",\"worker\":1,\"cause\":7}",
        "{\"type\":\"part\",\"number\":2,\"of\":1,\"text\":\"\"}",
        "{\"type\":\"part\",\"number\":1,\"of\":1}",
        "{\"type\":\"result\"}",
        "garbage",
        "",
    };
    static struct frame frame;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(lt(int, frame_decode(bad[i], strlen(bad[i]), &frame, NULL), 0), "%s", bad[i]);
}

Test(frame, a_truncated_or_damaged_result_is_refused)
{
    static struct frame in, out;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    fill_result(&in);
    frame_encode(&in, &text);
    for (size_t length = 0; length < text.length; length += 13)
        cr_expect(lt(int, frame_decode(text.bytes, length, &out, NULL), 0), "%zu bytes", length);
    char *histogram = strstr(text.bytes, "\"histogram\":\"");
    cr_assert(ne(ptr, histogram, NULL));
    histogram[20] = histogram[20] == 'A' ? 'B' : 'A';
    cr_expect(lt(int, frame_decode(text.bytes, text.length, &out, NULL), 0));
}

Test(frame, a_long_one_travels_in_parts)
{
    static struct frame in, out;
    AUTO(text_fini) struct text joined = TEXT_EMPTY;
    struct err err = {.text = ""};
    int ends[2];
    fill_result(&in);
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) { /* a histogram too wide for one datagram */
        in.result.histogram.buckets[i] += UINT64_C(1) << 50;
        in.result.histogram.count += UINT64_C(1) << 50;
    }
    while (in.result.distance_count < FRAME_BLOCKS_MAX)
        in.result.distance_ns[in.result.distance_count++] = 1.0 / 3;
    while (in.result.block_count < FRAME_BLOCKS_MAX)
        in.result.blocks[in.result.block_count++] = (struct frame_block){
            .begin_ns = 123456789012, .duration_ns = 123456789012, .latency_p50_ns = 1234.56789};
    cr_assert(zero(int, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends)));
    cr_assert(zero(int, frame_send(ends[0], &in, &err)), "%s", err.text);
    static char datagram[FRAME_BYTES_MAX + 1];
    int number = 0, of = 1;
    while (number < of) {
        ssize_t got = recv(ends[1], datagram, sizeof datagram, MSG_DONTWAIT);
        cr_assert(gt(long, got, 0));
        cr_assert(le(long, got, FRAME_BYTES_MAX));
        cr_assert(zero(int, frame_decode(datagram, (size_t)got, &out, &err)), "%s", err.text);
        cr_assert(eq(int, (int)out.type, FRAME_PART));
        cr_expect(eq(int, out.part.number, ++number));
        of = out.part.of;
        text_append(&joined, text_string(&out.part.text));
        frame_fini(&out);
    }
    cr_expect(gt(int, of, 1));
    cr_assert(zero(int, frame_decode(joined.bytes, joined.length, &out, &err)), "%s", err.text);
    cr_expect(eq(sz, out.result.block_count, FRAME_BLOCKS_MAX));
    close(ends[0]);
    close(ends[1]);
}

Test(series, reads_back_and_a_damaged_one_does_not)
{
    static struct frame in;
    struct frame_block out[FRAME_BLOCKS_MAX];
    size_t count = 0;
    AUTO(text_fini) struct text blob = TEXT_EMPTY;
    fill_result(&in);
    in.result.blocks[2].latency_p50_ns = 6100;
    series_encode(in.result.blocks, in.result.block_count, &blob);
    cr_assert(zero(int, series_decode(blob.bytes, blob.length, out, FRAME_BLOCKS_MAX, &count, NULL)));
    cr_expect(eq(sz, count, 5));
    cr_expect(eq(i64, out[4].begin_ns, 200));
    cr_expect(epsilon_eq(dbl, out[2].latency_p50_ns, 6100, 0.5));
    cr_expect(isnan(out[0].latency_p50_ns));
    blob.bytes[3] ^= 1;
    cr_expect(lt(int, series_decode(blob.bytes, blob.length, out, FRAME_BLOCKS_MAX, &count, NULL), 0));
}

Test(ulid, sorts_by_time)
{
    char early[ULID_BYTES], late[ULID_BYTES];
    ulid_make(1469918176385, early);
    ulid_make(1469918176386, late);
    cr_expect(eq(int, memcmp(early, "01ARYZ6S41", 10), 0), "%s", early);
    cr_expect(lt(int, strcmp(early, late), 0));
    cr_expect(eq(sz, strlen(early), 26));
}
