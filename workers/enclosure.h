/* enclosure: a function run behind walls, for experiments that leak, crash and hang on purpose.
 *
 * enclosure_run starts a keeper in process, mount, IPC and network namespaces of its own
 * (common/cage_flags.h; an ordinary user gets them through a user namespace) and under it the function.
 * Everything the function makes is gone when enclosure_run returns, or when any process of the enclosure or
 * its caller is killed: the kernel takes it back with the namespaces. The keeper is there because the first
 * process of a process namespace is a poor subject: signals that would kill others are not delivered to it.
 *
 * Where namespaces are refused the enclosure is "uncaged": every process follows its parent into death
 * (enclosure_fork), files lie in a directory of its own, and System V objects are written down beforehand
 * (enclosure_record_segments, enclosure_semget). The caller sweeps, or the keeper if the caller is
 * killed; if both are, the next enclosure does.
 *
 * The function starts with default signals, no core dumps, and without capabilities unless asked otherwise,
 * so that permission bits bind root too. Standard input, output and error are the caller's.
 * The caller is a single thread and has no other children. Times are of CLOCK_MONOTONIC. */
#ifndef IPCLAB_WORKERS_ENCLOSURE_H
#define IPCLAB_WORKERS_ENCLOSURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

enum { ENCLOSURE_PATH_BYTES = 256 };
/* A function's result is an exit status below this one. */
enum { ENCLOSURE_STATUS_MAX = 124 };

struct enclosure_options {
    int64_t deadline_ms;     /* after it everything in the enclosure is killed */
    bool keeps_capabilities; /* to change user or to make namespaces within */
    bool without_namespaces; /* as on a machine that refuses them */
};

/* What the function is told. */
struct enclosure {
    bool caged;
    char directory[ENCLOSURE_PATH_BYTES]; /* empty and its own; it makes no subdirectories there */
    int64_t deadline_ns;
};

struct enclosure_end {
    bool caged;
    bool timed_out;
    int signal; /* that killed the function, or 0 */
    int status; /* what the function returned, if nothing killed it */
};

/* 0 when the function was started and has ended, in whatever way *end says; or -errno. */
int enclosure_run(const struct enclosure_options *options,
                  int (*function)(const struct enclosure *enclosure, void *context), void *context,
                  struct enclosure_end *end, struct err *err);

/* fork, for the function and its children: the child is killed when its parent ends. As it leaves with
 * _exit, nothing of the parent's is flushed twice. A child that changes user calls enclosure_follow again. */
pid_t enclosure_fork(void);
/* The calling process is killed when `parent` ends (prctl(2): a change of user cancels that). */
void enclosure_follow(pid_t parent);

/* Before the calling process makes its first System V segment. */
int enclosure_record_segments(const struct enclosure *enclosure, struct err *err);
/* A new set of System V semaphores, all 0, under a random key: its id or -errno. */
int enclosure_semget(const struct enclosure *enclosure, int count, struct err *err);

/* Removes what such a record tells of (names.c). */
#define ENCLOSURE_RECORDER "enclosure"
int enclosure_remove_name(const char *name, struct err *err);

#endif
