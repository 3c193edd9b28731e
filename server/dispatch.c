#include "server/dispatch.h"

#include <string.h>

#include "server/problem.h"
#include "server/static_files.h"

/* Whoever follows a stale link is told so on a page; whoever asks the API is told what programs read. */
static void answer_absence(const struct dispatch *dispatch, const struct request *request,
                           struct answer *answer)
{
    const char *path = request->target.path;
    bool is_for_people = request->method == METHOD_GET && strncmp(path, "/api/", 5) != 0;
    if (is_for_people && request_accepts_html(request))
        static_files_answer_absence(dispatch->files, answer);
    else
        problem_answer_format(answer, 404, "Nothing is at %s.", path);
}

/* Route, or file of the page, or what is wrong with method and path. */
static const struct route *judge_target(const struct dispatch *dispatch, struct request *request,
                                        struct answer *answer)
{
    unsigned allowed;
    const struct route *route = router_find(dispatch->routes, request, &allowed);
    if (route != NULL)
        return route;
    if (allowed == 0 && static_files_has(dispatch->files, request->target.path))
        allowed = 1u << METHOD_GET;
    if (allowed == 0) {
        answer_absence(dispatch, request, answer);
        return NULL;
    }
    if ((allowed & (1u << request->method)) != 0)
        return NULL;
    char allow[ALLOW_BYTES];
    router_write_allow(allowed, allow);
    problem_answer_format(answer, 405, "%s takes %s.", request->target.path, allow);
    answer_add_header(answer, "Allow", "%s", allow);
    return NULL;
}

static void refuse(struct answer *answer, const struct refusal *refusal)
{
    if (refusal->status == 0)
        return;
    problem_answer(answer, refusal->status, refusal->detail);
    answer->close = refusal->close;
}

static const char *target_detail(int status)
{
    if (status == 414)
        return "An address is at most 4096 bytes.";
    if (status == 404)
        return "No path holds such characters.";
    return "The query holds more than 24 parameters, text that is no UTF-8, a control character, or a % that "
           "begins no escape: % itself is written %25.";
}

const struct route *dispatch_judge(const struct dispatch *dispatch, struct request *request,
                                   int target_status, struct answer *answer)
{
    const struct route *route = NULL;
    struct refusal refusal = request_check_envelope(request, dispatch->address, dispatch->port);
    refuse(answer, &refusal);
    if (answer->status == 0 && target_status != 0)
        problem_answer(answer, target_status, target_detail(target_status));
    if (answer->status == 0)
        route = judge_target(dispatch, request, answer);
    if (answer->status == 0) {
        const struct upload_kind *upload = route != NULL ? router_upload(dispatch->routes, route) : NULL;
        refusal = upload != NULL
                      ? request_check_content(request, upload->bytes_max, upload->too_large)
                      : request_check_content(request, REQUEST_BODY_BYTES_MAX, REQUEST_BODY_TOO_LARGE);
        refuse(answer, &refusal);
    }
    return route;
}

void dispatch_answer(const struct dispatch *dispatch, const struct route *route,
                     const struct request *request, struct answer *answer)
{
    if (route == NULL) {
        static_files_answer(dispatch->files, request, answer);
        return;
    }
    struct faults faults = {.count = 0};
    request_check_parameters(request, route->parameters, &faults);
    if (faults.count > 0)
        problem_answer_faults(answer, &faults);
    else
        route->handle(dispatch->app, request, answer);
}
