/* events: the stream of what happens. */
#include <stdlib.h>

#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/http.h"
#include "server/problem.h"
#include "server/sse.h"

/* From the field a browser sends when it reconnects, else from the query. 0 = none. An id we never gave is as
 * lost as one the ring has forgotten. */
static uint64_t read_last_event_id(const struct request *request, struct faults *faults)
{
    const char *field = request_header(request, HEADER_LAST_EVENT_ID);
    int64_t id = 0;
    if (field == NULL) {
        request_read_integer(request, "last_event_id", 1, JSON_INTEGER_MAX, &id, faults);
        return (uint64_t)id;
    }
    char *end;
    unsigned long long value = strtoull(field, &end, 10);
    return end == field || *end != '\0' || value == 0 || value > JSON_INTEGER_MAX ? 1 : value;
}

void api_get_events(struct app *app, const struct request *request, struct answer *answer)
{
    (void)app;
    struct faults faults = {.count = 0};
    struct events_filter filter;
    struct err err;
    const char *topics = request_parameter(request, "topics");
    if (!events_filter_parse(topics != NULL ? topics : "runs", &filter, &err))
        faults_add(&faults, "?topics", "%s", err.text);
    uint64_t last_event_id = read_last_event_id(request, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    struct sse_stream *stream = NULL;
    if (!request->head &&
        sse_stream_new(http_sse(request->http), &filter, last_event_id, &stream, &err) < 0) {
        problem_answer(answer, 503, err.text);
        return;
    }
    answer_set_status(answer, 200);
    answer->content_type = "text/event-stream";
    answer->stream = stream;
    answer_add_header(answer, "X-Accel-Buffering", "no"); /* a proxy in between must not collect events */
}
