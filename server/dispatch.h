/* dispatch: from a request to its answer, without a word about connections.
 *
 * In two steps, because a request's head is known before its body: dispatch_judge refuses what need not wait
 * for the body, dispatch_answer has the handler, or the file of the page, answer. */
#ifndef IPCLAB_SERVER_DISPATCH_H
#define IPCLAB_SERVER_DISPATCH_H

#include <stdint.h>

#include "server/answer.h"
#include "server/request.h"
#include "server/router.h"

struct static_files;

/* What judging and answering depend on. All borrowed. */
struct dispatch {
    struct app *app;
    const struct route_table *routes;
    const struct static_files *files;
    const char *address; /* listened on */
    uint16_t port;
};

/* target_status: what target_parse said. Answers the route, NULL for a file of the page. The answer's status
 * stays 0 if the request may go on. */
const struct route *dispatch_judge(const struct dispatch *dispatch, struct request *request,
                                   int target_status, struct answer *answer);
/* The body has come. */
void dispatch_answer(const struct dispatch *dispatch, const struct route *route,
                     const struct request *request, struct answer *answer);

#endif
