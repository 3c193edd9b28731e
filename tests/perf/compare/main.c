/* compare: the product's statistics for the benchmark's scripts, so that there is one implementation of them.
 *
 *   compare < document
 *
 * reads   {"margin":0.02,"family":[{"a":[…],"b":[…],"higher_is_better":false}, …]}
 * writes  [{"ratio":…,"low":…,"high":…,"p":…,"p_adjusted":…,"delta":…,"verdict":"…"}, …]
 *
 * in the same order; p is adjusted by Holm over the family, the ratio is a/b. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "server/analysis/compare.h"

enum { DOCUMENT_BYTES_MAX = 16 * 1024 * 1024, SAMPLE_MAX = 1000 };

struct comparison {
    struct stats_interval ratio;
    double p, delta;
    bool higher_is_better;
};

static size_t read_sample(const struct json_node *array, double *values)
{
    size_t count = 0;
    for (const struct json_node *node = json_first(array); node != NULL && count < SAMPLE_MAX;
         node = json_next(node)) {
        double value = json_number_or(node, NAN);
        if (value > 0)
            values[count++] = value;
    }
    return count;
}

static int take_comparison(const struct json_node *pair, struct comparison *comparison)
{
    static double a[SAMPLE_MAX], b[SAMPLE_MAX];
    size_t a_count = read_sample(json_member(pair, "a"), a);
    size_t b_count = read_sample(json_member(pair, "b"), b);
    comparison->higher_is_better = json_boolean_or(json_member(pair, "higher_is_better"), false);
    comparison->delta = compare_delta(a, a_count, b, b_count);
    int result = compare_ratio(a, a_count, b, b_count, &comparison->ratio);
    if (result == 0)
        result = compare_p(a, a_count, b, b_count, &comparison->p);
    if (a_count == 0 || b_count == 0)
        comparison->p = NAN; /* no test */
    return result;
}

static void print(const struct comparison *comparisons, const double *adjusted, size_t count, double margin)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_array(&writer, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct comparison *one = &comparisons[i];
        enum compare_verdict verdict =
            isnan(one->p) ? COMPARE_NOT_COMPARABLE
                          : compare_judge(one->ratio, adjusted[i], margin, one->higher_is_better);
        json_begin_object(&writer, NULL);
        json_write_number(&writer, "ratio", one->ratio.value);
        json_write_number(&writer, "low", one->ratio.low);
        json_write_number(&writer, "high", one->ratio.high);
        json_write_number(&writer, "p", one->p);
        json_write_number(&writer, "p_adjusted", adjusted[i]);
        json_write_number(&writer, "delta", one->delta);
        json_write_string(&writer, "verdict", compare_verdict_names[verdict]);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    puts(text_string(&text));
}

static int fail(const char *what)
{
    fprintf(stderr, "compare: %s\n", what);
    return EXIT_FAILURE;
}

int main(void)
{
    struct err err = {.text = ""};
    AUTO_FREE char *bytes = malloc(DOCUMENT_BYTES_MAX);
    if (bytes == NULL)
        return fail("out of memory");
    size_t length = fread(bytes, 1, DOCUMENT_BYTES_MAX, stdin);
    AUTO(json_cleanup) struct json_node *document = json_parse(bytes, length, &err);
    if (document == NULL)
        return fail(err.text);
    const struct json_node *family = json_member(document, "family");
    size_t count = json_count(family), at = 0;
    AUTO_FREE struct comparison *comparisons = calloc(count + 1, sizeof *comparisons);
    AUTO_FREE double *adjusted = calloc(count + 1, sizeof *adjusted);
    if (comparisons == NULL || adjusted == NULL)
        return fail("out of memory");
    for (const struct json_node *pair = json_first(family); pair != NULL; pair = json_next(pair), at++) {
        if (take_comparison(pair, &comparisons[at]) < 0)
            return fail("out of memory");
        adjusted[at] = comparisons[at].p;
    }
    if (compare_adjust_holm(adjusted, count) < 0)
        return fail("out of memory");
    print(comparisons, adjusted, count,
          compare_margin(json_number_or(json_member(document, "margin"), COMPARE_CHANGE_MIN)));
    return EXIT_SUCCESS;
}
