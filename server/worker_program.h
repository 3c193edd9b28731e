/* worker_program: starts `ipclab-worker`, the program that lies beside this one.
 *
 * Every start gives the child a clean slate: default signals, an empty mask, the standard descriptors and
 * nothing else. Errors: 0 or -errno with *err filled. Threads: the loop's; between clone and exec only
 * async-signal-safe calls. */
#ifndef IPCLAB_SERVER_WORKER_PROGRAM_H
#define IPCLAB_SERVER_WORKER_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/text.h"

struct worker_program {
    char path[PATH_MAX];
};

/* Beside this executable, or -ENOENT. */
int worker_program_find(struct worker_program *program, struct err *err);

struct worker_child {
    int pidfd; /* owned by the caller */
};
/* arguments[0] is the subcommand, NULL ends it. input and output become descriptors 0 and 1 (-1 = /dev/null);
 * standard error is ours. namespaces: 0, or cage_flags_for() to start it as pid 1 of a cage. */
int worker_program_start(const struct worker_program *program, char *const *arguments, int input, int output,
                         uint64_t namespaces, struct worker_child *child, struct err *err);

/* Reaps it, waiting for its end if need be. False: it ended badly, and cause says how, of who. */
bool worker_child_reap(const struct worker_child *child, const char *who, char *cause, size_t cause_bytes);

/* Runs it to its end, at most ten seconds, and appends what it wrote. Only for start-up and for sweeping: it
 * waits. -ECHILD: it ended badly (the text says how). */
int worker_program_capture(const struct worker_program *program, char *const *arguments, uint64_t namespaces,
                           struct text *output, struct err *err);

#endif
