/* report_child: answers that would hold up the loop are made by a child.
 *
 * A handler that finds too much work before it marks its answer (api_answer_in_child). http.c then suspends
 * the connection and starts this program once more, as `ipclab answer DATA TARGET` (report.h): the same
 * handler runs there, on a read-only connection of its own to the archive, at a lower priority, and what it
 * answers goes into a file: one without a name in the archive's directory, or in memory where none can be
 * made. When the child has ended that file is sent as it is, so a failure is still told by a status, the
 * length is known, and a slow client costs nothing.
 *
 * Owns the children, their output and their deadlines. At most REPORT_CHILDREN_MAX at a time.
 * Errors: 0 or -errno with *err filled; -EAGAIN when there are as many as may be, -ESHUTDOWN at the end.
 * Threads: the loop's. Callbacks come from the loop, or from report_children_end. */
#ifndef IPCLAB_SERVER_REPORT_CHILD_H
#define IPCLAB_SERVER_REPORT_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "server/answer.h"
#include "server/loop.h"

enum { REPORT_CHILDREN_MAX = 4, REPORT_MS = 120000 };

struct report_children;
struct report_child;

/* data: the archive's directory; borrowed. */
int report_children_new(struct loop *loop, const char *data, struct report_children **children,
                        struct err *err);
/* After report_children_end, when no child is left. NULL is fine. */
void report_children_free(struct report_children *children);
/* Kills them all, and lets no other one start; each client is told before this returns. */
void report_children_end(struct report_children *children);

/* How many there were so far. */
uint64_t report_children_started(const struct report_children *children);

/* target: path and query, as dispatched. ended comes once, unless the child is freed before. */
int report_child_start(struct report_children *children, const char *target, void (*ended)(void *context),
                       void *context, struct report_child **child, struct err *err);
/* Kills it if it is still at work. NULL is fine. */
void report_child_free(struct report_child *child);

/* After ended: what the child answered, or the problem that kept it from answering. The answer borrows from
 * the child; its body is the file. */
void report_child_answer(struct report_child *child, struct answer *answer);
/* How long the body is that lies in the file; 0 if the answer's own body counts. */
uint64_t report_child_body_bytes(const struct report_child *child);
/* The file, which is the caller's from then on and begins with the body; -1 if there is none. */
int report_child_take_body(struct report_child *child);

#endif
