/* healthz and metrics: is it well, and how much of everything. */
#include <inttypes.h>

#include "common/clock.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/http.h"
#include "server/loop.h"
#include "server/problem.h"
#include "server/runner.h"

static int64_t uptime_ns(const struct app *app)
{
    return clock_now_ns() - app->started_ns;
}

void api_get_health(struct app *app, const struct request *request, struct answer *answer)
{
    (void)request;
    int64_t queued = 0;
    struct err err;
    enum store_health archive = store_health(app->store);
    bool counted = store_run_queued_count(app->store, &queued, &err) == 0;
    int64_t running = runner_current_run(app->runner);
    answer_begin_json(answer, 200);
    struct json_writer writer = json_writer_on(&answer->body);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "status", archive == STORE_OK && counted ? "ok" : "degraded");
    json_write_string(&writer, "version", IPCLAB_VERSION);
    json_write_integer(&writer, "uptime_ms", uptime_ns(app) / NS_PER_MS);
    json_write_integer(&writer, "loop_lag_ns_max", loop_lag_ns_max(app->loop));
    json_write_integer(&writer, "queue", queued);
    if (running != 0)
        json_write_integer(&writer, "run", running);
    else
        json_write_null(&writer, "run");
    json_write_string(&writer, "archive", store_health_names[archive]);
    json_write_string(&writer, "archive_reason",
                      archive == STORE_OK ? NULL : store_health_reason(app->store));
    json_end_object(&writer);
}

/* ---- metrics ---- */

/* OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/ */
#define CONTENT_TYPE_METRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

static void begin_family(struct text *out, const char *name, const char *type, const char *help)
{
    text_printf(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

static void write_gauge(struct text *out, const char *name, const char *help, double value)
{
    begin_family(out, name, "gauge", help);
    text_printf(out, "%s %.15g\n", name, value);
}

static void write_archive(struct text *out, const struct store_counts *counts)
{
    begin_family(out, "ipclab_runs", "gauge", "Runs in the archive, deleted ones left out.");
    for (int state = 0; state < RUN_STATE_COUNT; state++)
        text_printf(out, "ipclab_runs{state=\"%s\"} %" PRId64 "\n", run_state_names[state],
                    counts->runs[state]);
    begin_family(out, "ipclab_trials", "gauge", "Settled slots of those runs' plans.");
    text_printf(out, "ipclab_trials{outcome=\"done\"} %" PRId64 "\n",
                counts->trials_done - counts->trials_failed);
    text_printf(out, "ipclab_trials{outcome=\"failed\"} %" PRId64 "\n", counts->trials_failed);
}

static void write_web(struct text *out, const struct http_counts *counts)
{
    write_gauge(out, "ipclab_http_connections", "Open connections.", (double)counts->connections);
    write_gauge(out, "ipclab_event_streams", "Open event streams.", (double)counts->streams);
    begin_family(out, "ipclab_http_answers", "counter", "Answers by class of status.");
    for (int class = 1; class < 5; class ++)
        text_printf(out, "ipclab_http_answers_total{status=\"%dxx\"} %" PRIu64 "\n", class + 1,
                    counts->answers_by_class[class]);
    begin_family(out, "ipclab_http_deadlines_missed", "counter", "Connections cut off for being late.");
    text_printf(out, "ipclab_http_deadlines_missed_total %" PRIu64 "\n", counts->deadlines_missed);
    begin_family(out, "ipclab_http_answers_by_child", "counter", "Answers too long for the loop.");
    text_printf(out, "ipclab_http_answers_by_child_total %" PRIu64 "\n", counts->answers_by_child);
}

void api_get_metrics(struct app *app, const struct request *request, struct answer *answer)
{
    struct store_counts archive;
    struct err err;
    int status = store_count(app->store, &archive, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    struct http_counts web = http_counts(request->http);
    answer_set_status(answer, 200);
    answer->content_type = CONTENT_TYPE_METRICS;
    struct text *out = &answer->body;
    begin_family(out, "ipclab_build", "info", "The program.");
    text_printf(out, "ipclab_build_info{version=\"%s\"} 1\n", IPCLAB_VERSION);
    write_archive(out, &archive);
    write_web(out, &web);
    write_gauge(out, "ipclab_uptime_seconds", "Since the start.", (double)uptime_ns(app) / (double)NS_PER_S);
    write_gauge(out, "ipclab_loop_lag_seconds_max", "Longest time the loop was kept from its next wait.",
                (double)loop_lag_ns_max(app->loop) / (double)NS_PER_S);
    text_append(out, "# EOF\n");
}
