/* activity: one process of `ipclab-worker lab NAME` or `claim N`, and the lines it says.
 *
 * Its standard input and output are one stream socket to this server, so that a terminal's input can follow
 * the request. A line is at most ACTIVITY_LINE_BYTES_MAX, a longer one is cut out and counted. The program
 * bounds itself, and puts itself behind walls that fall with it; the deadline here is for one that hangs, and
 * ACTIVITY_OUTPUT_BYTES_MAX for one that will not stop talking.
 *
 * When the process has ended, what it had still said is read first; then its client is told, once. Errors:
 * 0 or -errno with *err filled. Threads: the loop's; callbacks come from the loop. */
#ifndef IPCLAB_SERVER_ACTIVITY_H
#define IPCLAB_SERVER_ACTIVITY_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "server/loop.h"
#include "server/worker_program.h"

struct activity;

enum {
    ACTIVITY_LINE_BYTES_MAX = 64 * 1024,
    ACTIVITY_OUTPUT_BYTES_MAX = 16 * 1024 * 1024,
    ACTIVITY_CAUSE_BYTES = 240,
};

struct activity_client {
    void *context;
    /* Without its line break; borrowed. May call activity_kill. */
    void (*line)(void *context, const char *line, size_t length);
    /* cause: "" when it ended with status 0, else what went wrong first. cut_lines: how many were too long.
     * The activity is gone after it. */
    void (*ended)(void *context, const char *cause, uint64_t cut_lines);
};

/* arguments as for worker_program_start; request is one line, sent at once. */
int activity_start(struct loop *loop, const struct worker_program *program, char *const *arguments,
                   const char *request, int64_t deadline_ms, const struct activity_client *client,
                   struct activity **activity, struct err *err);
/* One more line of input. -EAGAIN: it has not read what it got before. -EPIPE: it does not listen any more.
 */
int activity_send(struct activity *activity, const char *line, struct err *err);
/* Ends it at once; ended follows, with this cause. */
void activity_kill(struct activity *activity, const char *cause);
/* Kills it and waits for its end, without callbacks. */
void activity_free(struct activity *activity);

#endif
