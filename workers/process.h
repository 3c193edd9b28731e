/* process: what /proc tells of a process: proc(5). */
#ifndef IPCLAB_WORKERS_PROCESS_H
#define IPCLAB_WORKERS_PROCESS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/text.h"

/* The caller as this /proc counts; another number than getpid() where a container refuses to mount /proc anew
 * for a pid namespace. 0 without /proc. */
static inline pid_t process_proc_pid(void)
{
    char own[24] = "";
    ssize_t length = readlink("/proc/self", own, sizeof own - 1);
    return length > 0 ? (pid_t)strtol(own, NULL, 10) : 0;
}

/* 'R', 'S', 'Z' …; '?' for one that is not there. pid as this /proc counts. */
static inline char process_state(pid_t proc_pid)
{
    char path[48], line[256];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)proc_pid);
    if (text_read_line(path, line, sizeof line) < 0)
        return '?';
    const char *name_end = strrchr(line, ')'); /* the name before it may hold anything */
    return name_end != NULL && name_end[1] == ' ' ? name_end[2] : '?';
}

#endif
