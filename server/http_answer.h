/* http_answer: an answer as libmicrohttpd takes it. For http.c. Threads: the loop's. */
#ifndef IPCLAB_SERVER_HTTP_ANSWER_H
#define IPCLAB_SERVER_HTTP_ANSWER_H

#include "server/answer.h"

struct MHD_Connection;
struct MHD_Response;
struct report_child;

/* Takes the answer's stream or body; with a child that answered, its file is the body. NULL if memory runs
 * out. The caller destroys it. */
struct MHD_Response *http_answer_response(struct answer *answer, struct report_child *child,
                                          struct MHD_Connection *connection);

#endif
