#include "server/analysis/trends.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "server/analysis/array.h"
#include "server/analysis/change_points.h"
#include "server/analysis/compare.h"
#include "server/analysis/figures.h"
#include "server/analysis/stats.h"

struct point {
    const struct store_series_run *run;
    struct stats_interval interval;
    size_t trials;
};

struct series {
    struct ipc_case key;
    enum statistic statistic;
    int class_of;
    size_t count, capacity;
    struct point *points;
};

struct trends {
    const struct trends_request *request;
    struct store_series_run *runs; /* from the newest */
    size_t run_count;
    bool more; /* older runs are there */
    struct series *series;
    size_t count, capacity;
};

static void trends_fini(struct trends *trends)
{
    for (size_t i = 0; i < trends->count; i++)
        free(trends->series[i].points);
    free(trends->series);
    free(trends->runs);
}

static int no_memory(struct err *err)
{
    return err_set(err, ENOMEM, "out of memory for a trend");
}

/* ---- reading ---- */

/* One run more than asked for tells whether there are older ones. */
static int read_runs(struct store *store, struct trends *trends, struct err *err)
{
    struct store_series_query query = trends->request->series;
    query.limit++;
    trends->runs = calloc(query.limit, sizeof *trends->runs);
    if (trends->runs == NULL)
        return no_memory(err);
    int result = store_series(store, &query, trends->runs, &trends->run_count, err);
    trends->more = trends->run_count == query.limit;
    trends->run_count -= trends->more;
    return result;
}

static struct series *find_series(struct trends *trends, const struct column *column, int class_of)
{
    for (size_t i = 0; i < trends->count; i++)
        if (trends->series[i].class_of == class_of && case_equal(&trends->series[i].key, &column->key))
            return &trends->series[i];
    if (array_reserve(&trends->series, trends->count, &trends->capacity, sizeof *trends->series) < 0)
        return NULL;
    struct series *series = &trends->series[trends->count++];
    *series = (struct series){.key = column->key, .statistic = column->statistic, .class_of = class_of};
    return series;
}

static int add_point(struct trends *trends, const struct store_series_run *run, const struct column *column,
                     int class_of, double *scratch)
{
    size_t trials = column_take_class(column, class_of, scratch);
    if (trials == 0)
        return 0;
    struct series *series = find_series(trends, column, class_of);
    if (series == NULL ||
        array_reserve(&series->points, series->count, &series->capacity, sizeof *series->points) < 0)
        return -ENOMEM;
    series->points[series->count++] =
        (struct point){.run = run, .interval = stats_median_interval(scratch, trials), .trials = trials};
    return 0;
}

static bool is_asked_for(const struct trends_request *request, const struct ipc_case *key)
{
    return (request->mechanism == NULL || strcmp(request->mechanism, key->mechanism) == 0) &&
           (request->pattern < 0 || request->pattern == (int)key->pattern) &&
           (request->message_bytes == 0 || request->message_bytes == key->message_bytes);
}

static int add_column(struct trends *trends, const struct store_series_run *run, const struct column *column)
{
    if (!is_asked_for(trends->request, &column->key))
        return 0;
    AUTO_FREE double *scratch = calloc(column->count + 1, sizeof *scratch);
    if (scratch == NULL)
        return -ENOMEM;
    int result = 0;
    for (int class_of = 0; class_of < FIGURES_CLASS_COUNT && result == 0; class_of++)
        if (class_of != DISTANCE_MIXED)
            result = add_point(trends, run, column, class_of, scratch);
    return result;
}

static int add_run(struct store *store, struct trends *trends, const struct store_series_run *run,
                   struct err *err)
{
    AUTO(figures_fini) struct figures figures = {.count = 0};
    int result = figures_read(store, run->id, trends->request->statistic, &figures, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < figures.count; i++)
        if (add_column(trends, run, &figures.columns[i]) < 0)
            return no_memory(err);
    return 0;
}

int trends_count_trials(struct store *store, const struct trends_request *request, int64_t *trials,
                        struct err *err)
{
    AUTO(trends_fini) struct trends trends = {.request = request};
    int result = read_runs(store, &trends, err);
    *trials = 0;
    for (size_t i = 0; i < trends.run_count; i++)
        *trials += trends.runs[i].trials_done;
    return result;
}

/* ---- writing ---- */

static int write_change_points(struct json_writer *writer, const struct series *series)
{
    AUTO_FREE double *logarithms = calloc(series->count + 1, sizeof *logarithms);
    AUTO(change_points_fini) struct change_points found = {.items = NULL};
    if (logarithms == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < series->count; i++)
        logarithms[i] = log(series->points[i].interval.value);
    int result = change_points_find(logarithms, series->count, log1p(COMPARE_CHANGE_MIN), &found);
    json_begin_array(writer, "change_points");
    for (size_t i = 0; i < found.count; i++) {
        const struct change_point *point = &found.items[i];
        json_begin_object(writer, NULL);
        json_write_integer(writer, "run", series->points[point->index].run->id);
        json_write_integer(writer, "previous_run", series->points[point->index - 1].run->id);
        json_write_number(writer, "before", exp(point->before));
        json_write_number(writer, "after", exp(point->after));
        json_write_number(writer, "ratio", exp(point->after - point->before));
        json_write_number(writer, "p", point->p);
        json_end_object(writer);
    }
    json_end_array(writer);
    return result;
}

static int write_series(struct json_writer *writer, const struct series *series)
{
    json_begin_object(writer, NULL);
    case_write(writer, &series->key);
    json_write_string(writer, "statistic", statistic_names[series->statistic]);
    json_write_string(writer, "distance", column_class_name(series->class_of));
    json_begin_array(writer, "points");
    for (size_t i = 0; i < series->count; i++) {
        const struct point *point = &series->points[i];
        json_begin_object(writer, NULL);
        json_write_integer(writer, "run", point->run->id);
        json_write_integer(writer, "created_ms", point->run->created_ms);
        json_write_number(writer, "value", point->interval.value);
        json_write_number(writer, "low", point->interval.low);
        json_write_number(writer, "high", point->interval.high);
        json_write_unsigned(writer, "n", point->trials);
        json_end_object(writer);
    }
    json_end_array(writer);
    int result = write_change_points(writer, series);
    json_end_object(writer);
    return result;
}

/* The id to go on from, or null. */
static void write_cursor(struct json_writer *writer, int64_t id, bool more)
{
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%" PRId64, id);
    json_write_string(writer, "next_cursor", more ? cursor : NULL);
}

int trends_write(struct store *store, const struct trends_request *request, struct text *out, struct err *err)
{
    AUTO(trends_fini) struct trends trends = {.request = request};
    int result = read_runs(store, &trends, err);
    for (size_t i = trends.run_count; i-- > 0 && result == 0;)
        result = add_run(store, &trends, &trends.runs[i], err);
    if (result < 0)
        return result;
    struct json_writer writer = json_writer_on(out);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "experiment", request->series.experiment);
    json_write_string(&writer, "machine", request->series.machine);
    json_write_string(&writer, "statistic",
                      request->statistic >= 0 ? statistic_names[request->statistic] : "natural");
    json_write_unsigned(&writer, "runs", trends.run_count);
    json_begin_array(&writer, "series");
    for (size_t i = 0; i < trends.count && result == 0; i++)
        result = write_series(&writer, &trends.series[i]);
    json_end_array(&writer);
    int64_t oldest = trends.run_count > 0 ? trends.runs[trends.run_count - 1].id : 0;
    write_cursor(&writer, oldest, trends.more);
    json_end_object(&writer);
    return result == 0 && text_ok(out) ? 0 : no_memory(err);
}

/* ---- what there is ---- */

struct listing {
    struct json_writer writer;
    size_t count, limit;
    int64_t last_id;
    bool more;
};

static int write_repeated(void *context, const struct store_repeated *repeated)
{
    struct listing *listing = context;
    struct json_writer *writer = &listing->writer;
    if (listing->count == listing->limit) {
        listing->more = true;
        return 0;
    }
    json_begin_object(writer, NULL);
    json_write_string(writer, "experiment_hash", repeated->experiment_hash);
    json_begin_object(writer, "machine");
    json_write_string(writer, "comparable", repeated->machine_comparable);
    json_write_string(writer, "full", repeated->machine_full);
    json_end_object(writer);
    json_write_integer(writer, "runs", repeated->runs);
    json_write_integer(writer, "first_ms", repeated->first_ms);
    json_write_integer(writer, "last_ms", repeated->last_ms);
    json_write_integer(writer, "last_run", repeated->last_id);
    json_write_string(writer, "name", repeated->name);
    json_write_raw(writer, "experiment", repeated->experiment);
    json_end_object(writer);
    listing->count++;
    listing->last_id = repeated->last_id;
    return 0;
}

int trends_write_experiments(struct store *store, int64_t before_id, size_t limit, struct text *out,
                             struct err *err)
{
    struct listing listing = {.writer = json_writer_on(out), .limit = limit};
    json_begin_object(&listing.writer, NULL);
    json_begin_array(&listing.writer, "experiments");
    int result = store_repeated_each(store, before_id, limit + 1, write_repeated, &listing, err);
    json_end_array(&listing.writer);
    write_cursor(&listing.writer, listing.last_id, listing.more);
    json_end_object(&listing.writer);
    return result < 0 || text_ok(out) ? result : no_memory(err);
}
