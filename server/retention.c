#include "server/retention.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "db/store.h"
#include "server/app.h"
#include "server/attempt_json.h"
#include "server/config.h"
#include "server/events.h"
#include "server/loop.h"
#include "server/run_json.h"
#include "server/runner.h"

#define DAY_NS (24 * 3600 * NS_PER_S)
#define BUSY_NS (60 * NS_PER_S)  /* until the next look whether a run is still being measured */
#define PAUSE_NS (2 * NS_PER_MS) /* between portions: whoever came meanwhile is served */

struct retention {
    struct loop_timer timer; /* first, so that its callback finds the rest */
    struct app *app;
    bool is_at_work;
    struct store_retention moments;
    struct store_retention_place place;
};

/* 0 = for ever. */
static int64_t before(int64_t now_ms, int64_t keep_ms)
{
    return keep_ms < 0 ? 0 : now_ms - keep_ms;
}

static void begin(struct retention *retention)
{
    const struct config *config = retention->app->config;
    int64_t now_ms = clock_wall_ms();
    retention->is_at_work = true;
    retention->place = (struct store_retention_place){.job = 0};
    retention->moments = (struct store_retention){
        .now_ms = now_ms,
        .before_ms =
            {
                [STORE_RETAIN_SERIES] = before(now_ms, config->keep_series_ms),
                [STORE_RETAIN_HISTOGRAMS] = before(now_ms, config->keep_histograms_ms),
                [STORE_RETAIN_DELETED] = before(now_ms, config->keep_deleted_ms),
                [STORE_RETAIN_TIMELINES] = before(now_ms, config->keep_timelines_ms),
                [STORE_RETAIN_ATTEMPTS] = before(now_ms, config->keep_attempts_ms),
                [STORE_RETAIN_CHECKS] = before(now_ms, config->keep_checks_ms),
            },
    };
}

/* How the log calls what was dropped; NULL: not at all. */
static const char *const names[STORE_RETAIN_COUNT] = {
    [STORE_RETAIN_SERIES] = "series_of_runs", [STORE_RETAIN_HISTOGRAMS] = "histograms_of_runs",
    [STORE_RETAIN_DELETED] = "deleted_runs",  [STORE_RETAIN_TIMELINES] = "timelines_of_attempts",
    [STORE_RETAIN_ATTEMPTS] = "attempts",     [STORE_RETAIN_CHECKS] = "checks",
};

static void end(struct retention *retention)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    retention->is_at_work = false;
    for (int job = 0; job < STORE_RETAIN_COUNT; job++)
        if (names[job] != NULL && retention->place.finished[job] > 0)
            text_printf(&text, "%s%s=%" PRId64, text.length > 0 ? " " : "", names[job],
                        retention->place.finished[job]);
    if (text.length > 0)
        log_write(LOG_INFO, "dropped what is no longer kept", "%s", text_string(&text));
}

static void publish_gone(const struct app *app, const char *event, enum events_subject subject, int64_t id)
{
    char json[40];
    snprintf(json, sizeof json, "{\"id\":%" PRId64 "}", id);
    events_publish(app->events, event, (struct events_topic){subject, id}, true, json);
}

/* Whoever looks at it fetches it again. That a run was deleted was told when it was. */
static void publish(const struct app *app, enum store_retention_job job, int64_t id)
{
    if (job == STORE_RETAIN_SERIES || job == STORE_RETAIN_HISTOGRAMS)
        run_json_publish(app, id);
    else if (job == STORE_RETAIN_TIMELINES)
        attempt_json_publish(app, id);
    else if (job == STORE_RETAIN_ATTEMPTS)
        publish_gone(app, "attempt_deleted", SUBJECT_ATTEMPT, id);
    else if (job == STORE_RETAIN_CHECKS)
        publish_gone(app, "check_deleted", SUBJECT_CHECK, id);
}

static void step(struct loop_timer *timer)
{
    struct retention *retention = (struct retention *)timer;
    struct store *store = retention->app->store;
    if (store_health(store) == STORE_READ_ONLY || store_health(store) == STORE_BROKEN)
        return;
    if (runner_current_run(retention->app->runner) != 0) {
        loop_timer_arm(timer, BUSY_NS);
        return;
    }
    if (!retention->is_at_work)
        begin(retention);
    struct err err;
    int result = store_retain(store, &retention->moments, &retention->place, &err);
    if (retention->place.finished_id != 0)
        publish(retention->app, (enum store_retention_job)retention->place.job, retention->place.finished_id);
    if (result < 0)
        log_write(LOG_WARNING, "could not drop what is no longer kept", "%s", err.text);
    if (result <= 0)
        end(retention);
    loop_timer_arm(timer, result > 0 ? PAUSE_NS : DAY_NS);
}

int retention_new(struct app *app, struct retention **retention, struct err *err)
{
    struct retention *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for retention");
    made->app = app;
    int result = store_import_recover(app->store, err);
    if (result == -EROFS)
        result = 0; /* a read-only archive is served as it is */
    if (result == 0)
        result = loop_timer_open(app->loop, &made->timer, step, err);
    if (result < 0) {
        free(made);
        return result;
    }
    loop_timer_arm(&made->timer, PAUSE_NS);
    *retention = made;
    return 0;
}

void retention_free(struct retention *retention)
{
    if (retention == NULL)
        return;
    loop_timer_close(retention->app->loop, &retention->timer);
    free(retention);
}

void retention_wake(struct retention *retention)
{
    if (retention == NULL)
        return;
    retention->is_at_work = false; /* from the beginning: what was given up stands there */
    loop_timer_arm(&retention->timer, PAUSE_NS);
}
