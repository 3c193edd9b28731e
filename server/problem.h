/* problem: every refusal and failure, as RFC 9457 problem details.
 *
 * The type is a URN, one for each kind, for programs; title and detail are for people. errors lists the
 * faults of a request, each with a JSON pointer into the body, or "?name" for a query parameter. */
#ifndef IPCLAB_SERVER_PROBLEM_H
#define IPCLAB_SERVER_PROBLEM_H

#include "common/err.h"
#include "common/faults.h"
#include "server/answer.h"

enum { PROBLEM_RETRY_AFTER_S = 5 };

/* Becomes the answer. A status that asks for patience (429, 503) carries Retry-After. */
void problem_answer(struct answer *answer, int status, const char *detail);
__attribute__((format(printf, 3, 4))) void problem_answer_format(struct answer *answer, int status,
                                                                 const char *format, ...);
/* 422 with all faults. */
void problem_answer_faults(struct answer *answer, const struct faults *faults);
/* The same with another status. */
void problem_answer_faults_as(struct answer *answer, int status, const struct faults *faults);
/* For a -errno of the archive or the runner: 404, 507, 503 … with the error's own words. */
void problem_answer_err(struct answer *answer, int code, const struct err *err);

#endif
