/* timeline: what it costs a lab's worker to have a call in its timeline, as one JSON object.
 *
 *   timeline [CALLS [ROUNDS]]
 *
 * A call is traced as labs trace it, with two numbers among its arguments, and the cost of the same call
 * untraced is taken off. A reader empties the ring between two blocks of calls, so that every call finds
 * room, as in a lab. The figure is the median of the rounds; the bound is that of the labs' plan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "workers/timeline.h"

enum { CALLS = 200000, ROUNDS = 15, ROUNDS_MAX = 1000, BLOCK = TIMELINE_CALLS };
static const double bound_ns = 1300;

static int64_t time_traced(struct timeline *timeline, struct timeline_reader *reader, int64_t calls)
{
    struct timeline_call call;
    int64_t spent_ns = 0;
    for (int64_t done = 0; done < calls; done += BLOCK) {
        int64_t began_ns = clock_now_ns();
        for (int i = 0; i < BLOCK; i++)
            TRACE(timeline, write(-1, "", (size_t)i), "%d, …, %d", -1, i);
        spent_ns += clock_now_ns() - began_ns;
        while (timeline_next(timeline, reader, &call) != TIMELINE_NOTHING)
            ;
    }
    return spent_ns;
}

static int64_t time_untraced(int64_t calls)
{
    int64_t began_ns = clock_now_ns();
    ssize_t result = 0;
    for (int64_t done = 0; done < calls; done += BLOCK)
        for (int i = 0; i < BLOCK; i++)
            result |= write(-1, "", (size_t)i);
    return result < 0 ? clock_now_ns() - began_ns : 0;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return values[count / 2];
}

int main(int argument_count, char **arguments)
{
    int64_t calls = argument_count > 1 ? strtol(arguments[1], NULL, 10) : CALLS;
    long rounds = argument_count > 2 ? strtol(arguments[2], NULL, 10) : ROUNDS;
    AUTO_FREE struct timeline *timeline = calloc(1, sizeof *timeline);
    struct timeline_reader reader = {.next = 0};
    double traced[ROUNDS_MAX], untraced[ROUNDS_MAX];
    calls = (calls + BLOCK - 1) / BLOCK * BLOCK;
    if (timeline == NULL || calls <= 0 || rounds <= 0 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: timeline [CALLS [ROUNDS]]\n");
        return EXIT_FAILURE;
    }
    for (long i = 0; i < rounds; i++) {
        traced[i] = (double)time_traced(timeline, &reader, calls) / (double)calls;
        untraced[i] = (double)time_untraced(calls) / (double)calls;
    }
    double call_ns = median(untraced, (int)rounds), cost_ns = median(traced, (int)rounds) - call_ns;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_integer(&writer, "calls", calls);
    json_write_integer(&writer, "rounds", rounds);
    json_write_number(&writer, "call_ns", call_ns);
    json_write_number(&writer, "traced_call_ns", cost_ns);
    json_write_number(&writer, "bound_ns", bound_ns);
    json_write_boolean(&writer, "within_bound", cost_ns <= bound_ns);
    json_end_object(&writer);
    puts(text_string(&text));
    return cost_ns <= bound_ns ? EXIT_SUCCESS : EXIT_FAILURE;
}
