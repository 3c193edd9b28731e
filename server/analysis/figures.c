#include "server/analysis/figures.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "server/analysis/array.h"

void figures_fini(struct figures *figures)
{
    for (size_t i = 0; i < figures->count; i++)
        free(figures->columns[i].figures);
    free(figures->columns);
    *figures = (struct figures){.count = 0};
}

static int add_trial(void *context, const struct store_trial *trial)
{
    struct figures *figures = context;
    if (!trial->done || trial->case_number < 0 || (size_t)trial->case_number >= figures->count)
        return 0;
    struct column *column = &figures->columns[trial->case_number];
    double value = statistic_of_trial(trial, column->statistic);
    if (!(value > 0)) /* also NAN */
        return 0;
    if (array_reserve(&column->figures, column->count, &column->capacity, sizeof *column->figures) < 0)
        return -ENOMEM;
    column->figures[column->count++] = (struct figure){
        .value = value, .class_of = trial->distance >= 0 ? trial->distance : (int)FIGURES_CLASS_UNKNOWN};
    return 0;
}

int figures_read(struct store *store, int64_t run_id, int statistic, struct figures *figures, struct err *err)
{
    *figures = (struct figures){.run_id = run_id};
    AUTO_FREE struct store_case *cases = NULL;
    size_t count = 0;
    int result = store_run_cases(store, run_id, &cases, &count, err);
    if (result < 0)
        return result;
    figures->columns = calloc(count > 0 ? count : 1, sizeof *figures->columns);
    if (figures->columns == NULL)
        return err_set(err, ENOMEM, "out of memory for the figures of run %lld", (long long)run_id);
    figures->count = count;
    for (size_t i = 0; i < count; i++) {
        figures->columns[i].key = cases[i].key;
        figures->columns[i].statistic =
            statistic >= 0 ? (enum statistic)statistic : statistic_natural(cases[i].key.pattern);
    }
    result = store_trial_each(store, run_id, 0, 0, STORE_TRIAL_SUMMARY, add_trial, figures, err);
    return result == -ENOMEM
               ? err_set(err, ENOMEM, "out of memory for the figures of run %lld", (long long)run_id)
               : result;
}

const struct column *figures_find(const struct figures *figures, const struct ipc_case *key)
{
    for (size_t i = 0; i < figures->count; i++)
        if (case_equal(&figures->columns[i].key, key))
            return &figures->columns[i];
    return NULL;
}

size_t column_count_class(const struct column *column, int class_of)
{
    size_t count = 0;
    for (size_t i = 0; i < column->count; i++)
        count += column->figures[i].class_of == class_of;
    return count;
}

int column_common_class(const struct column *const *columns, size_t count)
{
    int best = -1;
    size_t best_count = 0;
    for (int class_of = 0; class_of < FIGURES_CLASS_COUNT; class_of++) {
        size_t least = SIZE_MAX;
        for (size_t i = 0; i < count; i++) {
            size_t here = column_count_class(columns[i], class_of);
            least = here < least ? here : least;
        }
        if (class_of != DISTANCE_MIXED && count > 0 && least > best_count) {
            best = class_of;
            best_count = least;
        }
    }
    return best;
}

size_t column_take_class(const struct column *column, int class_of, double *values)
{
    size_t count = 0;
    for (size_t i = 0; i < column->count; i++)
        if (column->figures[i].class_of == class_of)
            values[count++] = column->figures[i].value;
    return count;
}

const char *column_class_name(int class_of)
{
    return class_of < 0 || class_of == FIGURES_CLASS_UNKNOWN ? NULL : distance_names[class_of];
}
