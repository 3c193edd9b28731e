#include "workers/roster.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static int other_side(const struct roster_view *view)
{
    return view->seat.side == SEAT_SENDER ? SEAT_RECEIVER : SEAT_SENDER;
}

void roster_sit(struct roster_view *view, struct roster *roster, const struct channel *channel,
                struct seat seat)
{
    *view = (struct roster_view){.roster = roster,
                                 .seat = seat,
                                 .others = seat.side == SEAT_SENDER ? channel->receivers : channel->senders};
    for (int i = 0; i < CREW_SIDE_MAX; i++)
        view->pidfds[i] = -1;
    atomic_store_explicit(&roster->seats[seat.side][seat.index].pid, getpid(), memory_order_release);
}

void roster_leave(struct roster_view *view)
{
    if (view->roster == NULL)
        return;
    atomic_store_explicit(&view->roster->seats[view->seat.side][view->seat.index].left, 1,
                          memory_order_seq_cst);
    for (int i = 0; i < CREW_SIDE_MAX; i++)
        if (view->pidfds[i] >= 0)
            close(view->pidfds[i]);
    view->roster = NULL;
}

bool roster_has_left(const struct roster_view *view, int other)
{
    return atomic_load_explicit(&view->roster->seats[other_side(view)][other].left, memory_order_acquire) !=
           0;
}

int roster_pidfd(struct roster_view *view, int other)
{
    if (view->pidfds[other] >= 0)
        return view->pidfds[other];
    pid_t pid = atomic_load_explicit(&view->roster->seats[other_side(view)][other].pid, memory_order_acquire);
    if (pid == 0) {
        errno = EAGAIN;
        return -1;
    }
    view->pidfds[other] = (int)syscall(SYS_pidfd_open, pid, 0);
    return view->pidfds[other];
}

bool roster_is_gone(struct roster_view *view, int other)
{
    if (roster_has_left(view, other))
        return true;
    struct pollfd process = {.fd = roster_pidfd(view, other), .events = POLLIN};
    if (process.fd < 0)
        return errno == ESRCH;
    return poll(&process, 1, 0) > 0;
}

bool roster_all_left(const struct roster_view *view)
{
    for (int i = 0; i < view->others; i++)
        if (!roster_has_left(view, i))
            return false;
    return true;
}

bool roster_all_gone(struct roster_view *view)
{
    for (int i = 0; i < view->others; i++)
        if (!roster_is_gone(view, i))
            return false;
    return true;
}
