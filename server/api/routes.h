/* routes: every resource the server offers, in one table.
 *
 * The table is what requests are dispatched by, what Allow fields are made from, and what the tests hold
 * against openapi.yaml. Handlers are in server/api, a file for each resource. */
#ifndef IPCLAB_SERVER_API_ROUTES_H
#define IPCLAB_SERVER_API_ROUTES_H

#include <stdio.h>

#include "server/router.h"

extern const struct route_table api_routes;

/* "GET /api/v1/runs/{id}", a line for each: `ipclab routes`. */
void api_print_routes(FILE *out);

route_handler api_get_mechanisms, api_get_presets, api_get_machine, api_get_machine_of_runs;
route_handler api_list_runs, api_create_run, api_get_run, api_change_run, api_delete_run;
route_handler api_restore_run, api_cancel_run, api_get_results, api_list_trials;
route_handler api_export_run, api_import_run;
extern const struct upload_kind api_import_upload;
route_handler api_compare_runs, api_get_trends;
route_handler api_list_labs, api_get_lab, api_get_lab_source, api_get_predictions;
route_handler api_list_attempts, api_create_attempt, api_get_attempt, api_get_attempt_trace;
route_handler api_send_attempt_input, api_cancel_attempt;
route_handler api_list_claims, api_get_claim, api_list_checks, api_list_latest_checks;
route_handler api_import_checks;
extern const struct upload_kind api_ledger_upload;
route_handler api_create_check, api_create_checks, api_get_check, api_cancel_check;
route_handler api_get_events, api_get_health, api_get_metrics, api_get_openapi_json, api_get_openapi_yaml;

#endif
