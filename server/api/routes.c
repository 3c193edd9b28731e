#include "server/api/routes.h"

static const char *const run_filters[] = {"limit",   "cursor", "sort",  "state", "mechanism", "tag",
                                          "machine", "q",      "since", "until", NULL};
static const char *const trial_options[] = {"include", "limit", "cursor", NULL};
static const char *const export_options[] = {"format", NULL};
static const char *const compare_options[] = {"base", "against", "statistic", "max_slower", NULL};
static const char *const trend_options[] = {"experiment",    "machine", "statistic", "mechanism", "pattern",
                                            "message_bytes", "limit",   "cursor",    NULL};
static const char *const attempt_filters[] = {"group", "student", "like", "limit", "cursor", "format", NULL};
static const char *const prediction_filters[] = {"group", "like", NULL};
static const char *const machine_option[] = {"machine", NULL};
static const char *const page_options[] = {"limit", "cursor", NULL};
static const char *const event_options[] = {"topics", "last_event_id", NULL};

static const struct route routes[] = {
    {METHOD_GET, "/api/v1/mechanisms", api_get_mechanisms, NULL},
    {METHOD_GET, "/api/v1/presets", api_get_presets, NULL},
    {METHOD_GET, "/api/v1/machine", api_get_machine, NULL},
    {METHOD_GET, "/api/v1/machines/{name}", api_get_machine_of_runs, NULL},
    {METHOD_GET, "/api/v1/runs", api_list_runs, run_filters},
    {METHOD_POST, "/api/v1/runs", api_create_run, NULL},
    {METHOD_GET, "/api/v1/runs/{id}", api_get_run, NULL},
    {METHOD_PATCH, "/api/v1/runs/{id}", api_change_run, NULL},
    {METHOD_DELETE, "/api/v1/runs/{id}", api_delete_run, NULL},
    {METHOD_POST, "/api/v1/runs/{id}/restore", api_restore_run, NULL},
    {METHOD_POST, "/api/v1/runs/{id}/cancel", api_cancel_run, NULL},
    {METHOD_GET, "/api/v1/runs/{id}/results", api_get_results, NULL},
    {METHOD_GET, "/api/v1/runs/{id}/trials", api_list_trials, trial_options},
    {METHOD_GET, "/api/v1/runs/{id}/export", api_export_run, export_options},
    {METHOD_POST, "/api/v1/imports", api_import_run, NULL},
    {METHOD_GET, "/api/v1/compare", api_compare_runs, compare_options},
    {METHOD_GET, "/api/v1/trends", api_get_trends, trend_options},
    {METHOD_GET, "/api/v1/labs", api_list_labs, NULL},
    {METHOD_GET, "/api/v1/labs/{name}", api_get_lab, NULL},
    {METHOD_GET, "/api/v1/labs/{name}/source", api_get_lab_source, NULL},
    {METHOD_GET, "/api/v1/labs/{name}/predictions", api_get_predictions, prediction_filters},
    {METHOD_GET, "/api/v1/labs/{name}/attempts", api_list_attempts, attempt_filters},
    {METHOD_POST, "/api/v1/labs/{name}/attempts", api_create_attempt, NULL},
    {METHOD_GET, "/api/v1/attempts/{id}", api_get_attempt, NULL},
    {METHOD_GET, "/api/v1/attempts/{id}/trace", api_get_attempt_trace, NULL},
    {METHOD_POST, "/api/v1/attempts/{id}/input", api_send_attempt_input, NULL},
    {METHOD_POST, "/api/v1/attempts/{id}/cancel", api_cancel_attempt, NULL},
    {METHOD_GET, "/api/v1/claims", api_list_claims, machine_option},
    {METHOD_GET, "/api/v1/claims/checks", api_list_latest_checks, machine_option},
    {METHOD_POST, "/api/v1/claims/checks", api_create_checks, NULL},
    {METHOD_POST, "/api/v1/claims/imports", api_import_checks, NULL},
    {METHOD_GET, "/api/v1/claims/{id}", api_get_claim, machine_option},
    {METHOD_GET, "/api/v1/claims/{id}/checks", api_list_checks, page_options},
    {METHOD_POST, "/api/v1/claims/{id}/checks", api_create_check, NULL},
    {METHOD_GET, "/api/v1/checks/{id}", api_get_check, NULL},
    {METHOD_POST, "/api/v1/checks/{id}/cancel", api_cancel_check, NULL},
    {METHOD_GET, "/api/v1/events", api_get_events, event_options},
    {METHOD_GET, "/api/v1/openapi.json", api_get_openapi_json, NULL},
    {METHOD_GET, "/api/v1/openapi.yaml", api_get_openapi_yaml, NULL},
    {METHOD_GET, "/healthz", api_get_health, NULL},
    {METHOD_GET, "/metrics", api_get_metrics, NULL},
};

static const struct route_upload uploads[] = {
    {api_import_run, &api_import_upload},
    {api_import_checks, &api_ledger_upload},
};

const struct route_table api_routes = {
    .routes = routes,
    .count = sizeof routes / sizeof routes[0],
    .uploads = uploads,
    .upload_count = sizeof uploads / sizeof uploads[0],
};

void api_print_routes(FILE *out)
{
    for (size_t i = 0; i < api_routes.count; i++)
        fprintf(out, "%s %s\n", method_names[routes[i].method], routes[i].pattern);
}
