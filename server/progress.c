#include "server/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "server/app.h"
#include "server/plan.h"

void progress_close(struct progress *progress)
{
    free(progress->cases);
    free(progress->attempts);
    free(progress->order);
    memset(progress, 0, sizeof *progress);
}

int progress_case_of(struct progress *progress, size_t slot)
{
    uint64_t round = slot / progress->case_count;
    if (round != progress->order_round) {
        plan_round(progress->experiment.seed, round, progress->order, progress->case_count);
        progress->order_round = round;
    }
    return progress->order[slot % progress->case_count];
}

bool progress_first_missing(const struct progress *progress, size_t *slot)
{
    for (size_t i = 0; i < progress->slot_count; i++)
        if ((progress->attempts[i] & ATTEMPT_SETTLED) == 0) {
            *slot = i;
            return true;
        }
    return false;
}

void progress_note(struct progress *progress, size_t slot, bool settles)
{
    progress->attempts[slot]++;
    if (settles) {
        progress->attempts[slot] |= ATTEMPT_SETTLED;
        progress->settled_count++;
    }
}

int64_t progress_eta_ms(const struct progress *progress)
{
    int64_t left = (int64_t)(progress->slot_count - progress->settled_count);
    int64_t settled = (int64_t)(progress->settled_count - progress->begun_settled);
    if (settled == 0)
        return left * experiment_estimated_ms(&progress->experiment) / (int64_t)progress->slot_count;
    return left * (clock_now_ns() - progress->begun_ns) / settled / NS_PER_MS;
}

/* The experiment again, from the archive, checked against the mechanisms of today. */
static int read_experiment(const struct app *app, const struct store_run *run,
                           struct experiment_request *request, struct err *err)
{
    AUTO(json_cleanup) struct json_node *document = json_parse(run->experiment, strlen(run->experiment), err);
    if (document == NULL)
        return -EINVAL;
    const struct experiment_context context = {.catalogue = &app->catalogue, .cpus = app->machine.cpus};
    struct faults faults = {.count = 0};
    experiment_read(document, &context, request, &faults);
    if (faults.count == 0)
        return 0;
    return err_set(err, EINVAL, "the experiment cannot run here any more: %.80s %.250s",
                   faults.items[0].pointer, faults.items[0].detail);
}

static int allocate(struct progress *progress, size_t case_count, size_t slot_count, struct err *err)
{
    progress->case_count = case_count;
    progress->slot_count = slot_count;
    progress->cases = calloc(case_count, sizeof *progress->cases);
    progress->order = calloc(case_count, sizeof *progress->order);
    progress->attempts = calloc(slot_count, sizeof *progress->attempts);
    progress->order_round = UINT64_MAX;
    if (progress->cases == NULL || progress->order == NULL || progress->attempts == NULL)
        return err_set(err, ENOMEM, "out of memory for a run of %zu trials", slot_count);
    return 0;
}

int progress_open(struct progress *progress, const struct app *app, const struct store_run *run,
                  struct err *err)
{
    if (run->machine_id != 0 && strcmp(run->machine_comparable, app->machine.comparable) != 0)
        return err_set(
            err, EINVAL,
            "interrupted on a machine, kernel or setting that differs from this one; trials of both "
            "must not be mixed, so start it again");
    AUTO_FREE struct experiment_request *request = malloc(sizeof *request);
    if (request == NULL)
        return err_set(err, ENOMEM, "out of memory for an experiment");
    int result = read_experiment(app, run, request, err);
    if (result < 0)
        return result;
    progress->experiment = request->experiment;
    size_t case_count = experiment_case_count(&progress->experiment);
    if ((int64_t)case_count * progress->experiment.trials != run->trials_total)
        return err_set(err, EINVAL,
                       "the sizes that mechanisms carry on this machine have changed since it was asked for");
    result = allocate(progress, case_count, case_count * (size_t)progress->experiment.trials, err);
    if (result < 0)
        return result;
    progress->run_id = run->id;
    experiment_cases(&progress->experiment, &app->catalogue, progress->cases, case_count);
    result = store_trial_attempts(app->store, run->id, progress->attempts, progress->slot_count, err);
    for (size_t i = 0; i < progress->slot_count; i++)
        progress->settled_count += (progress->attempts[i] & ATTEMPT_SETTLED) != 0;
    progress->begun_settled = progress->settled_count;
    progress->begun_ns = clock_now_ns();
    return result;
}
