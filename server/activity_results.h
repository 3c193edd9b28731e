/* activity_results: from what a lab or a claim said at its end to what is archived of it. Pure. */
#ifndef IPCLAB_SERVER_ACTIVITY_RESULTS_H
#define IPCLAB_SERVER_ACTIVITY_RESULTS_H

#include "db/store_activities.h"
#include "server/attempt_record.h"

/* cause: why its process ended badly, "" = well. lab may be NULL, when it is not offered any more. */
struct attempt_result {
    struct store_attempt_end end; /* points to the others */
    char cause[STORE_CAUSE_BYTES];
    struct text outcome, result, record;
};
void attempt_result_init(struct attempt_result *result, const struct json_node *lab,
                         const struct json_node *prediction, const struct attempt_record *record,
                         const char *cause);
void attempt_result_fini(struct attempt_result *result);

struct check_result {
    struct store_check_end end;
    char cause[STORE_CAUSE_BYTES];
    struct text result;
};
/* line: the check's, NULL if none came. */
void check_result_init(struct check_result *result, int claim, const struct json_node *line,
                       const char *cause);
void check_result_fini(struct check_result *result);

#endif
