#include "server/api/routes.h"

static const char *const run_filters[] = {"limit",   "cursor", "sort",  "state", "mechanism", "tag",
                                          "machine", "q",      "since", "until", NULL};
static const char *const trial_options[] = {"include", "limit", "cursor", NULL};
static const char *const export_options[] = {"format", NULL};
static const char *const compare_options[] = {"base", "against", "statistic", "max_slower", NULL};
static const char *const trend_options[] = {"experiment",    "machine", "statistic", "mechanism", "pattern",
                                            "message_bytes", "limit",   "cursor",    NULL};
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
    {METHOD_GET, "/api/v1/events", api_get_events, event_options},
    {METHOD_GET, "/api/v1/openapi.json", api_get_openapi_json, NULL},
    {METHOD_GET, "/api/v1/openapi.yaml", api_get_openapi_yaml, NULL},
    {METHOD_GET, "/healthz", api_get_health, NULL},
    {METHOD_GET, "/metrics", api_get_metrics, NULL},
};

static const struct route_upload uploads[] = {
    {api_import_run, &api_import_upload},
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
