/* HdrHistogram's interchange form: ours reads back equal, theirs reads as they say, damage is refused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/export_hdr.h"
#include "tests/support/criterion.h"
#include "tests/support/hdr.h"

static struct err err;

struct seen {
    uint64_t count, buckets;
    int64_t low, last; /* of the last bucket */
    bool ordered;
    const struct histogram *expected;
    bool equal;
};

static void look(void *context, int64_t low, int64_t last, uint64_t count)
{
    struct seen *seen = context;
    seen->ordered = seen->ordered && (seen->buckets == 0 || low > seen->last) && last >= low;
    seen->count += count;
    seen->buckets++;
    seen->low = low;
    seen->last = last;
    if (seen->expected != NULL) {
        uint32_t index = histogram_index(low);
        seen->equal = seen->equal && low == histogram_bucket_low(index) &&
                      last == histogram_bucket_end(index) - 1 && count == seen->expected->buckets[index];
    }
}

static int decode(const char *base64, struct hdr_layout *layout, struct seen *seen)
{
    *seen = (struct seen){.ordered = true, .equal = true, .expected = seen->expected};
    return hdr_decode(base64, strlen(base64), layout, look, seen, &err);
}

Test(export_hdr, what_goes_out_comes_back_bucket_by_bucket)
{
    AUTO_FREE struct histogram *histogram = calloc(1, sizeof *histogram);
    AUTO(text_fini) struct text base64 = TEXT_EMPTY;
    struct hdr_layout layout;
    uint64_t value = 1, recorded = 0;
    for (int i = 0; i < 20000; i++, recorded++) {
        value = value * UINT64_C(6364136223846793005) + 1442695040888963407;
        histogram_record(histogram, (int64_t)(value >> (24 + i % 40)));
    }
    histogram_record(histogram, 0);
    histogram_record(histogram, HISTOGRAM_VALUE_MAX);
    cr_assert(eq(int, export_hdr_encode(histogram, &base64, &err), 0), "%s", err.text);
    struct seen seen = {.expected = histogram};
    cr_assert(eq(int, decode(text_string(&base64), &layout, &seen), 0), "%s", err.text);
    cr_expect(eq(u64, seen.count, recorded + 2));
    cr_expect(seen.ordered && seen.equal);
    cr_expect(eq(int, layout.digits, 2));
    cr_expect(eq(i64, layout.lowest, 1));
    cr_expect(eq(i64, layout.highest, HISTOGRAM_VALUE_MAX));
}

Test(export_hdr, an_empty_histogram_is_one_too)
{
    AUTO_FREE struct histogram *histogram = calloc(1, sizeof *histogram);
    AUTO(text_fini) struct text base64 = TEXT_EMPTY;
    struct hdr_layout layout;
    struct seen seen = {.expected = histogram};
    cr_assert(eq(int, export_hdr_encode(histogram, &base64, &err), 0), "%s", err.text);
    cr_assert(eq(int, decode(text_string(&base64), &layout, &seen), 0), "%s", err.text);
    cr_expect(eq(u64, seen.count, 0));
}

/* Lines of the log that HdrHistogram's own tests read (jHiccup-2.0.7S.logV2.hlog): each states its maximum in
 * milliseconds. Their layout is not ours: the lowest value is 20 us. */
static const struct {
    const char *maximum_ms, *base64;
} published[] = {
    {"1.933",
     "HISTFAAAAEB42pNpmSzMwMAgywABTBDKT4GBgdnNYMcCBvsPEBEjDT0FMTUxMT05LgEhPqmIeWxtTAKMTNxM6xmZmAAjcgjc"},
    {"0.377", "HISTFAAAADx42pNpmSzMwMAgyQABTBDKT4GBgdnNYMcCBvsPEBEBDQUxCSkJMTEFOSExPhmbR6xfmPQ4GJmYAP4DCJg="},
    {"960.496",
     "HISTFAAAAJV42pNpmSzMwMDUwAABTBDKT4GBgdnNYMcCBvsPEBEWLi4eNkY2PiYOPhYOLgGOLuZjTGLrGZnKgTCYyZrJEoh1"
     "mWSZpMFQFkpyM/GCMTKJzOdkYoVCZjgLmc1MhDwzEyMQggl0SH1BbEJIgIUJC2AhUoxchSwsLGwsMIBgYRUkQyFBaQ4g4EIl"
     "0PlcpKtB4wMAh5wT+Q=="},
    {"1.196",
     "HISTFAAAAEB42pNpmSzMwMAgywABTBDKT4GBgdnNYMcCBvsPEBEuFTkhER4BLg4JJh4+Hh6fC0xJ3BLiTKxM5kxMTAAQ9QfA"},
    {"8.716",
     "HISTFAAAAEx42pNpmSzMwMCgzQABTBDKT4GBgdnNYMcCBvsPEBE+CQUJAQEOAQkFEQ4BIR6xD0xPWCcwcsizNDMylQNhOJM1kyUQ"
     "6zMxAQC4Hwtg"},
};

Test(export_hdr, a_published_log_reads_as_it_says)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        struct hdr_layout layout;
        struct seen seen = {.expected = NULL};
        char maximum_ms[32];
        cr_assert(eq(int, decode(published[i].base64, &layout, &seen), 0), "%s", err.text);
        snprintf(maximum_ms, sizeof maximum_ms, "%.3f", (double)seen.last / 1e6);
        cr_expect(eq(str, maximum_ms, (char *)published[i].maximum_ms));
        cr_expect(seen.ordered);
        cr_expect(gt(u64, seen.count, 0));
        cr_expect(eq(int, layout.digits, 2));
    }
}

/* Written by hdr-histogram-js with three digits: the squares from 1 to 1000, and 999999 five thousand times.
 * Its own quantiles of it are 3601 at 1 % and 360191 at 10 %: the last value of the bucket. */
static const char three_digits[] =
    "HISTFAAAAYR4nK2IUStEQRiGZ55tO23SppMkJEnSJkmStm3bNm3a2LRJkiRJkiRJm+SCcuFCcaG4cOHChQv/w3/wX2QMM8fM"
    "OY4yT8/7fu/0nt+EQgRvQggphMiIz/dxi+Ldq/jeZAhoI09IFz30M8gwBcaYYIoiZarUqNOgyRIrrLHBFjvsccARx5xyJrmQ"
    "XEquJDeSW8m95EHyKHmSPEteJHsss8oq66yzySbbbLPLLvvsc8ghLVqcUKJMmQoVqlSZYYYaNWaZpU6dOeZo0GCBBZo0WWSR"
    "JSoUFKOaMc24ZkIzqZnSTGuKmhIl+hT9SsOA0jCoNAwpDcNKw4jSUGCETkJLl66ILt0RXXoiuvRF/KI9Qt5q17zVfjqsdu2w"
    "2k9otWtotZ9OlTlyBCrdTkebt03GG02309HubZPxRtPtn2QTCWJWkNgmfTuddv7cSW1f7voruZiVS2yTvp1OOz/MaMT35d++"
    "n/8i++tP1nu7V7r+PeO3f/3duJW04zN9+6/o7dnX8++H5FgS";

struct quantile {
    uint64_t rank, seen;
    int64_t value;
};

static void find_rank(void *context, int64_t low, int64_t last, uint64_t count)
{
    struct quantile *quantile = context;
    (void)low;
    if (quantile->seen < quantile->rank)
        quantile->value = last;
    quantile->seen += count;
}

Test(export_hdr, another_library_agrees_on_quantiles)
{
    static const struct {
        uint64_t rank;
        int64_t value;
    } expected[] = {{60, 3601}, {600, 360191}, {1, 1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct hdr_layout layout;
        struct quantile quantile = {.rank = expected[i].rank};
        int decoded = hdr_decode(three_digits, strlen(three_digits), &layout, find_rank, &quantile, &err);
        cr_assert(eq(int, decoded, 0), "%s", err.text);
        cr_expect(eq(u64, quantile.seen, 6000));
        cr_expect(eq(i64, quantile.value, expected[i].value));
        cr_expect(eq(int, layout.digits, 3));
    }
}

Test(export_hdr, damage_is_refused)
{
    struct hdr_layout layout;
    struct seen seen = {.expected = NULL};
    const char *whole = published[0].base64;
    cr_expect(eq(int, decode("not base64!!", &layout, &seen), -EBADMSG));
    cr_expect(eq(int, decode("AAAA", &layout, &seen), -EPROTO));
    size_t refused = 0, tried = 0;
    for (size_t cut = 4; cut + 4 <= strlen(whole); cut += 4, tried++)
        refused += hdr_decode(whole, cut, &layout, look, &seen, &err) < 0;
    cr_expect(eq(sz, refused, tried), "every end that is missing is missed");
    /* zlib's own checksum stands at the end of what it packed. */
    char flipped[256];
    for (size_t at = 12; at < strlen(whole) - 1; at++) {
        snprintf(flipped, sizeof flipped, "%s", whole);
        flipped[at] = flipped[at] == 'A' ? 'B' : 'A';
        cr_expect(lt(int, decode(flipped, &layout, &seen), 0), "a changed character %zu is taken", at);
    }
}
