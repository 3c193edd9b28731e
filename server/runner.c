#include "server/runner.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "server/activities.h"
#include "server/app.h"
#include "server/loop.h"
#include "server/progress.h"
#include "server/run_events.h"
#include "server/run_json.h"
#include "server/submit.h"
#include "server/supervisor.h"
#include "server/trial_merge.h"

/* How long to wait before asking a full disk, or a machine out of processes, again. */
#define RETRY_NS (1 * NS_PER_S)

/* The trial being taken, or taken and not yet archived. */
struct current {
    struct crew *crew; /* NULL when none is under way */
    size_t slot;
    struct ipc_case one;
    struct store_trial trial;
    struct trial_merge merge;
    bool pending; /* ended, but not archived yet */
};

struct runner {
    struct app *app;
    struct progress progress;
    struct current current;
    bool cancelling, stopping;
    struct loop_timer step_timer; /* the next step is taken from the loop, never inside a callback */
};

/* ---- state changes: archived, then published ---- */

static int change_state(struct runner *runner, int64_t run_id, const struct store_run_change *change,
                        struct err *err)
{
    int result = store_run_change(runner->app->store, run_id, change, err);
    if (result == 0) {
        log_write(LOG_INFO, "run changed", "run=%lld state=%s %s", (long long)run_id,
                  run_state_names[change->state], change->message != NULL ? change->message : "");
        run_json_publish(runner->app, run_id);
    }
    return result;
}

/* False: the archive could not take it; the run stays in progress and this is tried again. */
static bool finish_run(struct runner *runner, int64_t run_id, enum run_state state, const char *message)
{
    struct err err;
    const struct store_run_change change = {
        .state = state,
        .finished_ms = state == RUN_INTERRUPTED ? 0 : clock_wall_ms(),
        .message = message,
    };
    if (change_state(runner, run_id, &change, &err) < 0) {
        log_write(LOG_ERROR, "could not archive the end of a run", "%s", err.text);
        return false;
    }
    progress_close(&runner->progress);
    runner->cancelling = false;
    activities_go_on(runner->app->activities);
    return true;
}

/* ---- one trial ---- */

static void begin_trial(struct runner *runner, size_t slot)
{
    struct progress *progress = &runner->progress;
    int case_number = progress_case_of(progress, slot);
    runner->current = (struct current){
        .slot = slot,
        .one = progress->cases[case_number],
        .trial =
            {
                .run_id = progress->run_id,
                .case_number = case_number,
                .sequence = (int64_t)slot,
                .attempt = (progress->attempts[slot] & ATTEMPT_COUNT) + 1,
                .started_ms = clock_wall_ms(),
                .latency_p50_ns = NAN,
                .latency_p90_ns = NAN,
                .latency_p99_ns = NAN,
                .latency_p999_ns = NAN,
                .latency_min_ns = NAN,
                .latency_max_ns = NAN,
                .messages_per_s = NAN,
                .bytes_per_s = NAN,
                .autocorrelation = NAN,
                .drift_ratio = NAN,
                .load = machine_load(),
                .frequency_hz = NAN,
                .achieved_hz = NAN,
                .distance = -1,
            },
    };
}

static void crew_said(void *context, int worker, const struct frame *frame)
{
    struct runner *runner = context;
    struct current *current = &runner->current;
    if (frame->type == FRAME_READY && frame->ready.buffer_bytes > current->trial.buffer_bytes)
        current->trial.buffer_bytes = frame->ready.buffer_bytes;
    if (frame->type == FRAME_SAMPLE && worker == trial_merge_measuring_worker(&current->one)) {
        current->trial.messages = frame->sample.messages; /* what is known if no result follows */
        current->trial.duration_ns = frame->sample.elapsed_ns;
        run_events_publish_sample(runner->app, &current->trial, &current->one, &frame->sample);
    }
    if (frame->type == FRAME_RESULT)
        trial_merge_result(&current->merge, &current->trial, &current->one, worker, &frame->result);
}

/* Archives the trial that ended, with the run's last state if it was the last one. False: the archive could
 * not take it; the trial is kept and this is tried again. */
static bool archive_trial(struct runner *runner)
{
    struct current *current = &runner->current;
    struct progress *progress = &runner->progress;
    struct store_trial *trial = &current->trial;
    bool settles = trial->done || trial->attempt >= STORE_ATTEMPTS_MAX;
    bool last = settles && progress->settled_count + 1 == progress->slot_count;
    const struct store_run_change done = {.state = RUN_DONE, .finished_ms = clock_wall_ms()};
    struct err err;
    current->pending = true;
    if (store_trial_insert(runner->app->store, trial, settles, last ? &done : NULL, &err) < 0) {
        log_write(LOG_ERROR, "could not archive a trial, trying again", "%s", err.text);
        return false;
    }
    current->pending = false;
    progress_note(progress, current->slot, settles);
    run_events_publish_trial(runner->app, trial);
    store_trial_fini(trial);
    if (last) {
        int64_t run_id = progress->run_id;
        progress_close(progress);
        runner->cancelling = false;
        run_json_publish(runner->app, run_id); /* otherwise the next trial's start publishes it */
    }
    return true;
}

static void crew_ended(void *context, const struct crew_end *end)
{
    struct runner *runner = context;
    struct current *current = &runner->current;
    current->crew = NULL;
    if (runner->stopping || runner->cancelling) {
        store_trial_fini(&current->trial); /* given up by us: it says nothing about the mechanism */
    } else {
        trial_merge_finish(&current->merge, &current->trial, &current->one);
        current->trial.done = end->complete;
        text_copy(current->trial.cause, sizeof current->trial.cause, end->cause);
        if (!end->complete)
            log_write(LOG_WARNING, "a trial failed", "run=%lld slot=%zu attempt=%d %s %s",
                      (long long)runner->progress.run_id, current->slot, current->trial.attempt,
                      current->one.mechanism, end->cause);
        current->pending = true;
    }
    activities_go_on(runner->app->activities);
    loop_timer_arm(&runner->step_timer, 0);
}

static bool start_trial(struct runner *runner, size_t slot)
{
    struct progress *progress = &runner->progress;
    const struct experiment *experiment = &progress->experiment;
    begin_trial(runner, slot);
    struct trial_spec spec = {
        .trial = (int64_t)slot,
        .one = runner->current.one,
        .duration_ms = experiment->duration_ms,
        .warmup_ms = experiment->warmup_ms,
        .verify = experiment->verify,
        .seed = experiment->seed,
    };
    const struct crew_client client = {.context = runner, .frame = crew_said, .ended = crew_ended};
    struct err err;
    if (supervisor_start(runner->app->supervisor, &spec, &client, &runner->current.crew, &err) == 0) {
        run_json_publish(runner->app, progress->run_id);
        return true;
    }
    log_write(LOG_ERROR, "could not start a crew, trying again", "%s", err.text);
    runner->current.crew = NULL;
    return false;
}

/* ---- the steps ---- */

static int begin_stored(struct runner *runner, const struct store_run *run, struct err *err)
{
    struct app *app = runner->app;
    struct store_run_change change = {
        .state = RUN_RUNNING,
        .started_ms = run->started_ms != 0 ? 0 : clock_wall_ms(),
        .isolation = app->machine.isolation,
        .overhead = app->machine.overhead,
        .message = "",
    };
    int result = machine_archive(&app->machine, app->store, &change.machine_id, err);
    return result < 0 ? result : change_state(runner, run->id, &change, err);
}

/* Makes it the run in progress, or archives why it cannot be. False: not now. */
static bool begin_run(struct runner *runner, int64_t run_id)
{
    struct err err;
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    int result = store_run_get(runner->app->store, run_id, &run, &err);
    if (result == 0) {
        result = progress_open(&runner->progress, runner->app, &run, &err);
        if (result == -EINVAL) {
            progress_close(&runner->progress);
            return finish_run(runner, run_id, RUN_FAILED, err.text);
        }
    }
    if (result == 0)
        result = begin_stored(runner, &run, &err);
    if (result < 0) {
        log_write(LOG_ERROR, "could not begin a run, trying again", "run=%lld %s", (long long)run_id,
                  err.text);
        progress_close(&runner->progress);
    }
    return result == 0;
}

static bool take_next_run(struct runner *runner, bool *found)
{
    int64_t run_id = 0;
    struct err err;
    int result = store_run_next(runner->app->store, &run_id, &err);
    *found = result == 0;
    return result < 0 || begin_run(runner, run_id);
}

/* One step forward; what cannot be done now is tried again later. */
static bool step_once(struct runner *runner, bool *again)
{
    size_t slot = 0;
    *again = true;
    if (runner->current.pending)
        return archive_trial(runner);
    if (runner->progress.run_id == 0)
        return take_next_run(runner, again);
    if (runner->cancelling)
        return finish_run(runner, runner->progress.run_id, RUN_CANCELLED, NULL);
    if (!progress_first_missing(&runner->progress, &slot)) /* all settled, only the last state was missing */
        return finish_run(runner, runner->progress.run_id, RUN_DONE, NULL);
    *again = false;
    /* Labs and claims go between two trials, and then runner_go_on is called. */
    return activities_take_turn(runner->app->activities) || start_trial(runner, slot);
}

static void step(struct runner *runner)
{
    bool again = true;
    while (again && runner->current.crew == NULL && !runner->stopping)
        if (!step_once(runner, &again)) {
            loop_timer_arm(&runner->step_timer, RETRY_NS);
            return;
        }
}

static void step_due(struct loop_timer *timer)
{
    step((struct runner *)((char *)timer - offsetof(struct runner, step_timer)));
}

/* ---- the door ---- */

int runner_new(struct app *app, struct runner **runner, struct err *err)
{
    struct runner *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for the runner");
    made->app = app;
    int result = loop_timer_open(app->loop, &made->step_timer, step_due, err);
    int64_t recovered = 0;
    if (result == 0)
        result = store_run_recover(app->store, &recovered, err);
    if (result == -EROFS)
        result = 0; /* a read-only archive is served, nothing runs */
    if (result < 0) {
        free(made);
        return result;
    }
    if (recovered > 0)
        log_write(LOG_INFO, "going on with a run that was interrupted", "runs=%lld", (long long)recovered);
    loop_timer_arm(&made->step_timer, 0);
    *runner = made;
    return 0;
}

void runner_free(struct runner *runner)
{
    if (runner == NULL)
        return;
    loop_timer_close(runner->app->loop, &runner->step_timer);
    store_trial_fini(&runner->current.trial);
    progress_close(&runner->progress);
    free(runner);
}

int runner_submit(struct runner *runner, const struct experiment_request *request,
                  const struct store_idempotency *idempotency, int64_t *run_id, struct err *err)
{
    int64_t queued = 0;
    int result = store_run_queued_count(runner->app->store, &queued, err);
    if (result < 0)
        return result;
    if (queued >= RUNNER_QUEUE_MAX)
        return err_set(err, EAGAIN, "%lld runs are waiting already: let some finish, or cancel some",
                       (long long)queued);
    result = submit_run(runner->app, request, idempotency, run_id, err);
    if (result < 0)
        return result;
    run_json_publish(runner->app, *run_id);
    if (runner->progress.run_id == 0 && !runner->stopping)
        loop_timer_arm(&runner->step_timer, 0);
    return 0;
}

int runner_cancel(struct runner *runner, int64_t run_id, struct err *err)
{
    if (run_id == runner->progress.run_id && run_id != 0) {
        runner->cancelling = true;
        if (runner->current.crew != NULL)
            supervisor_kill(runner->current.crew, "the run was cancelled");
        else
            loop_timer_arm(&runner->step_timer, 0);
        return 0;
    }
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    int result = store_run_get(runner->app->store, run_id, &run, err);
    if (result < 0)
        return result;
    if (run.state != RUN_QUEUED && run.state != RUN_INTERRUPTED)
        return err_set(err, EINVAL,
                       "run %lld is %s: only a run that is queued, running or interrupted can be cancelled",
                       (long long)run_id, run_state_names[run.state]);
    const struct store_run_change change = {.state = RUN_CANCELLED, .finished_ms = clock_wall_ms()};
    return change_state(runner, run_id, &change, err);
}

bool runner_is_measuring(const struct runner *runner)
{
    return runner->current.crew != NULL;
}

void runner_go_on(struct runner *runner)
{
    if (runner->progress.run_id != 0 && !runner->stopping)
        loop_timer_arm(&runner->step_timer, 0);
}

void runner_stop(struct runner *runner)
{
    runner->stopping = true;
    loop_timer_disarm(&runner->step_timer);
    if (runner->current.crew != NULL)
        supervisor_kill(runner->current.crew, "the server is stopping");
    if (runner->progress.run_id != 0)
        finish_run(runner, runner->progress.run_id, RUN_INTERRUPTED,
                   "the server was stopped; the run goes on when it starts again");
}

bool runner_live_of(const struct runner *runner, int64_t run_id, struct runner_live *live)
{
    const struct progress *progress = &runner->progress;
    if (run_id == 0 || run_id != progress->run_id)
        return false;
    *live = (struct runner_live){.has_current = runner->current.crew != NULL};
    if (live->has_current) {
        live->sequence = runner->current.trial.sequence;
        live->current = runner->current.one;
    }
    live->eta_ms = progress_eta_ms(progress);
    return true;
}

int64_t runner_current_run(const struct runner *runner)
{
    return runner->progress.run_id;
}
