#include "server/activities.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "server/activity_slot.h"
#include "server/admission.h"
#include "server/app.h"
#include "server/attempt_json.h"
#include "server/check_json.h"
#include "server/loop.h"
#include "server/runner.h"

/* How long to wait before asking a full disk again. */
#define RETRY_NS (1 * NS_PER_S)

struct activities {
    struct app *app;
    const struct worker_program *program;
    struct activity_slot *slots;
    bool stopping;
    int64_t held_since_ns;        /* since when the runner waits for its turn, 0 = it does not */
    int64_t timed_since_ns;       /* since when a check that wants to be alone is the next, 0 = none is */
    struct loop_timer step_timer; /* the next step is taken from the loop, never inside a callback */
};

static struct activity_slot *find_slot(const struct activities *activities, enum store_activity kind,
                                       int64_t id)
{
    struct activity_slot *slot = activities->slots;
    while (slot != NULL && (slot->kind != kind || slot->id != id))
        slot = slot->next;
    return slot;
}

static void add_slot(struct activities *activities, struct activity_slot *slot)
{
    slot->next = activities->slots;
    activities->slots = slot;
}

static void remove_slot(struct activities *activities, struct activity_slot *slot)
{
    struct activity_slot **link = &activities->slots;
    while (*link != slot)
        link = &(*link)->next;
    *link = slot->next;
    activity_slot_free(slot);
}

static void publish(struct activities *activities, enum store_activity kind, int64_t id)
{
    if (kind == STORE_ATTEMPTS)
        attempt_json_publish(activities->app, id);
    else
        check_json_publish(activities->app, id);
}

/* ---- how they begin ---- */

static int archive_begin(struct activities *activities, enum store_activity kind, int64_t id, struct err *err)
{
    struct app *app = activities->app;
    int64_t machine_id = 0;
    int result = machine_archive(&app->machine, app->store, &machine_id, err);
    if (result < 0)
        return result;
    return kind == STORE_ATTEMPTS ? store_attempt_begin(app->store, id, clock_wall_ms(), machine_id, err)
                                  : store_check_begin(app->store, id, clock_wall_ms(), machine_id, err);
}

/* -ENOENT: nothing is queued. */
static int begin_next(struct activities *activities, enum store_activity kind, struct err *err)
{
    int64_t id = 0;
    int result = store_activity_next(activities->app->store, kind, &id, err);
    if (result < 0)
        return result;
    struct activity_slot *slot = activity_slot_new(activities->app, kind, id, &activities->step_timer);
    if (slot == NULL)
        return err_set(err, ENOMEM, "out of memory for an attempt or a check");
    result = archive_begin(activities, kind, id, err);
    if (result < 0) {
        activity_slot_free(slot);
        return result;
    }
    add_slot(activities, slot);
    activity_slot_start(slot, activities->program);
    publish(activities, kind, id);
    return 0;
}

/* ---- the steps ---- */

/* False: the archive cannot take it now. */
static bool archive_slot(struct activities *activities, struct activity_slot *slot)
{
    struct err err;
    enum store_activity kind = slot->kind;
    int64_t id = slot->id;
    if (activity_slot_archive(slot, &err) < 0) {
        log_write(LOG_ERROR, "could not archive an attempt or a check, trying again", "%s", err.text);
        return false;
    }
    remove_slot(activities, slot);
    publish(activities, kind, id);
    return true;
}

/* False: something could not be archived now. */
static bool archive_ended(struct activities *activities)
{
    bool all = true;
    for (struct activity_slot *slot = activities->slots, *next; slot != NULL; slot = next) {
        next = slot->next;
        if (slot->process == NULL)
            all &= archive_slot(activities, slot);
    }
    return all;
}

/* What stands in the way of another one. */
static struct admission look_around(const struct activities *activities)
{
    const struct runner *runner = activities->app->runner;
    struct admission around = {
        .is_measuring = runner_is_measuring(runner),
        .is_run_current = runner_current_run(runner) != 0,
        .run_waits_since_ns = activities->held_since_ns,
        .timed_waits_since_ns = activities->timed_since_ns,
    };
    for (const struct activity_slot *slot = activities->slots; slot != NULL; slot = slot->next) {
        around.attempts += slot->kind == STORE_ATTEMPTS;
        around.checks += slot->kind == STORE_CHECKS;
        around.is_one_alone |= slot->is_alone;
    }
    return around;
}

static bool is_turn(const struct activities *activities)
{
    const struct admission around = look_around(activities);
    return admission_is_turn(&around, clock_now_ns());
}

static bool has_room(const struct activities *activities, enum store_activity kind)
{
    const struct admission around = look_around(activities);
    return admission_has_room(&around, kind, clock_now_ns());
}

/* Notes since when the next check is one that wants to be alone. */
static int look_for_timed(struct activities *activities, struct err *err)
{
    int64_t id = 0;
    const struct app *app = activities->app;
    AUTO(store_check_fini) struct store_check check = {.id = 0};
    int result = store_activity_next(app->store, STORE_CHECKS, &id, err);
    if (result == 0)
        result = store_check_get(app->store, id, &check, err);
    if (result < 0 && result != -ENOENT)
        return result;
    bool is_timed = result == 0 && claim_is_timed(lab_catalogue_find_claim(&app->labs, check.claim));
    if (!is_timed)
        activities->timed_since_ns = 0;
    else if (activities->timed_since_ns == 0)
        activities->timed_since_ns = clock_now_ns();
    return 0;
}

static bool begin_queued(struct activities *activities)
{
    struct err err;
    int result = look_for_timed(activities, &err);
    for (int kind = STORE_ATTEMPTS; kind <= STORE_CHECKS && (result == 0 || result == -ENOENT); kind++) {
        result = 0;
        while (result == 0 && has_room(activities, (enum store_activity)kind))
            result = begin_next(activities, (enum store_activity)kind, &err);
    }
    if (result == 0 || result == -ENOENT)
        return true;
    log_write(LOG_ERROR, "could not begin an attempt or a check, trying again", "%s", err.text);
    return false;
}

static void step(struct activities *activities)
{
    bool well = archive_ended(activities);
    if (!activities->stopping && is_turn(activities))
        well &= begin_queued(activities);
    if (!well)
        loop_timer_arm(&activities->step_timer, RETRY_NS);
    if (activities->slots == NULL)
        runner_go_on(activities->app->runner);
}

static void step_due(struct loop_timer *timer)
{
    step((struct activities *)((char *)timer - offsetof(struct activities, step_timer)));
}

bool activities_take_turn(struct activities *activities)
{
    if (activities->held_since_ns == 0)
        activities->held_since_ns = clock_now_ns();
    if (is_turn(activities) && !begin_queued(activities))
        loop_timer_arm(&activities->step_timer, RETRY_NS);
    if (activities->slots == NULL)
        activities->held_since_ns = 0;
    return activities->slots != NULL;
}

void activities_go_on(struct activities *activities)
{
    loop_timer_arm(&activities->step_timer, 0);
}

/* ---- the door ---- */

int activities_new(struct app *app, const struct worker_program *program, struct activities **activities,
                   struct err *err)
{
    struct activities *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for labs and claims");
    made->app = app;
    made->program = program;
    int64_t recovered = 0;
    int result = loop_timer_open(app->loop, &made->step_timer, step_due, err);
    if (result == 0)
        result = store_activity_recover(app->store, clock_wall_ms(), &recovered, err);
    if (result == -EROFS)
        result = 0; /* a read-only archive is served, nothing runs */
    else if (result == 0)
        loop_timer_arm(&made->step_timer, 0);
    if (result < 0) {
        loop_timer_close(app->loop, &made->step_timer);
        free(made);
        return result;
    }
    if (recovered > 0)
        log_write(LOG_WARNING, "attempts or checks were cut off by the end of the server", "count=%lld",
                  (long long)recovered);
    *activities = made;
    return 0;
}

void activities_free(struct activities *activities)
{
    if (activities == NULL)
        return;
    loop_timer_close(activities->app->loop, &activities->step_timer);
    while (activities->slots != NULL)
        remove_slot(activities, activities->slots);
    free(activities);
}

void activities_stop(struct activities *activities)
{
    activities->stopping = true;
    for (struct activity_slot *slot = activities->slots; slot != NULL; slot = slot->next)
        if (slot->process != NULL)
            activity_slot_stop(slot, "the server was stopped");
    archive_ended(activities);
}

int activities_add_attempt(struct activities *activities, struct store_attempt *attempt, struct err *err)
{
    int64_t queued = 0;
    struct store *store = activities->app->store;
    int result = store_activity_queued_count(store, STORE_ATTEMPTS, &queued, err);
    if (result < 0)
        return result;
    if (queued >= ACTIVITIES_QUEUE_MAX)
        return err_set(err, EAGAIN, "%lld attempts are waiting already: let some finish", (long long)queued);
    result = store_attempt_insert(store, attempt, err);
    if (result < 0)
        return result;
    publish(activities, STORE_ATTEMPTS, attempt->id);
    loop_timer_arm(&activities->step_timer, 0);
    return 0;
}

int activities_add_checks(struct activities *activities, const int *claims, size_t count, int64_t *ids,
                          struct err *err)
{
    int result = store_check_insert(activities->app->store, claims, count, clock_wall_ms(), ids, err);
    if (result < 0)
        return result;
    struct err ignored; /* the next step looks again */
    look_for_timed(activities, &ignored);
    for (size_t i = 0; i < count; i++)
        publish(activities, STORE_CHECKS, ids[i]);
    loop_timer_arm(&activities->step_timer, 0);
    return 0;
}

int activities_cancel(struct activities *activities, enum store_activity kind, int64_t id, struct err *err)
{
    struct activity_slot *slot = find_slot(activities, kind, id);
    if (slot != NULL && slot->process != NULL) {
        activity_slot_cancel(slot);
        return 0;
    }
    int result = store_activity_cancel_queued(activities->app->store, kind, id, clock_wall_ms(), err);
    if (result == 0)
        publish(activities, kind, id);
    return result;
}

int activities_send_input(struct activities *activities, int64_t id, const char *line, struct err *err)
{
    struct activity_slot *slot = find_slot(activities, STORE_ATTEMPTS, id);
    if (slot == NULL || slot->process == NULL)
        return err_set(err, ESTALE, "attempt %lld is not going on", (long long)id);
    return activity_send(slot->process, line, err);
}

const struct attempt_record *activities_record_of(const struct activities *activities, int64_t id)
{
    const struct activity_slot *slot = find_slot(activities, STORE_ATTEMPTS, id);
    return slot != NULL ? slot->record : NULL;
}

const char *activities_waiting_for(const struct activities *activities, enum store_activity kind,
                                   char waiting[ACTIVITIES_WAITING_BYTES])
{
    const struct runner *runner = activities->app->runner;
    if (!is_turn(activities))
        snprintf(waiting, ACTIVITIES_WAITING_BYTES, "run %lld", (long long)runner_current_run(runner));
    else if (!has_room(activities, kind))
        snprintf(waiting, ACTIVITIES_WAITING_BYTES, "others");
    else
        return NULL;
    return waiting;
}
