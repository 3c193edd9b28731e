/* subject: a process of an experiment, which may block, crash or never end, and what can be seen of it.
 *
 * A subject lives in memory it shares with whoever started it, so what it writes there survives it. Whether a
 * call blocks is not a matter of waiting a while: a subject announces the call, and then /proc tells that it
 * sleeps. Everything here belongs to the process that called subject_new; nothing is freed, for the
 * experiment's process is soon over. */
#ifndef IPCLAB_WORKERS_CLAIMS_SUBJECT_H
#define IPCLAB_WORKERS_CLAIMS_SUBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SUBJECT_VALUES = 8, SUBJECT_BYTES = 512, SUBJECT_PATIENCE_MS = 4000 };

struct subject {
    pid_t pid;
    pid_t parent;
    /* the subject's */
    pid_t proc_pid;      /* as this /proc counts, which may be of another namespace */
    _Atomic int calling; /* the next thing it does is the call in question */
    int64_t values[SUBJECT_VALUES];
    char bytes[SUBJECT_BYTES];
};

struct subject_end {
    bool timed_out; /* and was killed for it */
    int signal, status;
};

/* Shared zeroed memory, for as long as the process lives; ends the process when there is none. */
void *subject_memory(size_t bytes);
struct subject *subject_new(void);

/* As fork: 0 in the subject, which ends with _exit; a failed fork ends the experiment. */
pid_t subject_fork(struct subject *subject);
/* The subject, immediately before a call that may block. */
void subject_announce(struct subject *subject);
/* Waits for the announcement, and then until it sleeps in that call (true) or has ended (false); also false
 * if neither happens. */
bool subject_blocks(struct subject *subject);
struct subject_end subject_wait(struct subject *subject, int64_t patience_ms);
void subject_kill(struct subject *subject);
/* CPU time it has used. */
int64_t subject_cpu_ns(const struct subject *subject);

/* The signal that kills who reads, or writes, this byte; 0 if none does. */
int subject_read_signal(const volatile char *at);
int subject_write_signal(volatile char *at);

/* The subject: another user where the caller may become one (true), else at least without capabilities, so
 * that permission bits bind (false). */
bool subject_become_stranger(struct subject *subject);

/* All of them are released at the same moment, or a race is over before it began. */
struct gate {
    _Atomic int arrived;
};
void gate_pass(struct gate *gate, int count);

/* Pins the calling process to one of the CPUs it was started with, counted from 0 in the order of
 * placement.h; where there are fewer it stays where it is. */
void subject_pin(int which);
int subject_cpu_count(void);

#endif
