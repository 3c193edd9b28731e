/* roster: who sits at a channel, who left, and who died.
 *
 * A pipe tells its reader when the last writer is gone. Shared memory, message queues, datagram sockets and
 * signals tell nobody anything, so their channels have a roster in memory that all of them share: every
 * worker writes its pid when it sits down and says so when it leaves. Whoever has waited for nothing looks
 * there.
 *
 * A death shows through a pidfd (pidfd_open(2)) rather than kill(pid, 0), which succeeds for a zombie nobody
 * has waited for yet, and for a stranger who was given the pid anew. */
#ifndef IPCLAB_WORKERS_ROSTER_H
#define IPCLAB_WORKERS_ROSTER_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/case.h"
#include "workers/mechanisms/mechanism.h"

/* Shared; zeroed memory is an empty one. Each seat is written by its worker alone. */
struct roster {
    struct {
        alignas(128) _Atomic int32_t pid; /* 0 until seated */
        _Atomic uint32_t left;
    } seats[2][CREW_SIDE_MAX];
};

/* One worker's view, private to it. A zeroed view is nobody's. */
struct roster_view {
    struct roster *roster;
    struct seat seat;
    int others; /* seats at the other side */
    int pidfds[CREW_SIDE_MAX];
};

void roster_sit(struct roster_view *view, struct roster *roster, const struct channel *channel,
                struct seat seat);
void roster_leave(struct roster_view *view);

/* Of one of the other side. A seat that nobody has taken yet is not gone. */
bool roster_has_left(const struct roster_view *view, int other);
/* It left, or died: a system call. */
bool roster_is_gone(struct roster_view *view, int other);
/* Of the whole other side. */
bool roster_all_left(const struct roster_view *view);
bool roster_all_gone(struct roster_view *view);
/* A pidfd of one of the other side, the view's own; -1 and errno. */
int roster_pidfd(struct roster_view *view, int other);

#endif
