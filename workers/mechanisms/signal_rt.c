/* Real-time signal: sigqueue (as pidfd_send_signal), sigprocmask, sigtimedwait (signal(7)), with the messages
 * in shared memory.
 *
 * An ordinary signal is one bit: sent twice before it is taken, it arrives once. Real-time signals, from
 * SIGRTMIN on, are queued, each with a number, and arrive as often as they were sent, in order. A receiver
 * that keeps them blocked takes them when it wants to, with sigtimedwait: no handler interrupts it anywhere.
 * How many may be pending is bounded for all of a user's processes together by RLIMIT_SIGPENDING; beyond it
 * sending fails with EAGAIN. They say that something is there: the messages lie in shared memory (board.h).
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "workers/mechanisms/board.h"
#include "workers/mechanisms/byte_stream.h"

enum { PENDING_SHARE = 4 /* of what the user may have pending; there are other processes */ };

struct signal_rt {
    struct board board; /* first: board_send and board_receive take the state */
    sigset_t taken[NOTICE_COUNT];
    bool waits; /* else it polls */
    bool masked;
};

static int number_of(enum board_notice notice)
{
    return SIGRTMIN + (int)notice;
}

static int64_t pending_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_SIGPENDING, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 0;
    int64_t share = (int64_t)limit.rlim_cur / PENDING_SHARE;
    return share > 0 ? share : 1;
}

/* What the channel asks for must fit what may be pending, or senders would spend their time on EAGAIN. */
static int check_pending(const struct channel *channel, struct err *err)
{
    int64_t most = pending_max();
    int64_t wanted = (channel->buffer_bytes + channel->message_bytes - 1) / channel->message_bytes;
    if (most == 0 || wanted <= most / 2)
        return 0;
    return err_set(err, EAGAIN,
                   "room for %lld messages was asked for and %lld are granted: raise the limit of pending "
                   "signals (ulimit -i)",
                   (long long)wanted, (long long)most / 2);
}

static int signal_rt_open(void *state, struct channel *channel, struct err *err)
{
    struct signal_rt *signals = state;
    int result = check_pending(channel, err);
    return result < 0 ? result : board_open(&signals->board, channel, pending_max(), err);
}

static int signal_rt_give(void *state, int other, enum board_notice notice)
{
    struct signal_rt *signals = state;
    /* What sigqueue(3) does, to a pidfd: a pid may be somebody else's by now, and the default action of a
     * real-time signal is death. */
    siginfo_t info = {.si_signo = number_of(notice), .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    int pidfd = roster_pidfd(&signals->board.presence.view, other);
    if (pidfd < 0)
        return errno == ESRCH ? -EPIPE : -errno;
    if (syscall(SYS_pidfd_send_signal, pidfd, info.si_signo, &info, 0) == 0)
        return 0;
    return errno == ESRCH ? -EPIPE : -errno;
}

static int signal_rt_take(void *state, enum board_notice notice)
{
    struct signal_rt *signals = state;
    const struct timespec at_once = {.tv_sec = 0};
    int taken = sigtimedwait(&signals->taken[notice], NULL, signals->waits ? NULL : &at_once);
    return taken > 0 ? 1 : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static const struct board_notices signal_rt_notices = {.give = signal_rt_give, .take = signal_rt_take};

/* Before anybody knows our pid: an announcement that is not blocked would kill us. */
static int block_notices(struct signal_rt *signals, struct err *err)
{
    sigset_t both;
    sigemptyset(&both);
    for (int notice = 0; notice < NOTICE_COUNT; notice++) {
        sigemptyset(&signals->taken[notice]);
        sigaddset(&signals->taken[notice], number_of((enum board_notice)notice));
        sigaddset(&both, number_of((enum board_notice)notice));
    }
    if (sigprocmask(SIG_BLOCK, &both, NULL) != 0)
        return err_errno(err, errno, "block the real-time signals");
    signals->masked = true;
    return 0;
}

static int signal_rt_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct signal_rt *signals = state;
    signals->waits = channel->wait != WAIT_POLL;
    int result = board_map(&signals->board, channel, err);
    if (result == 0)
        result = block_notices(signals, err);
    return result < 0 ? result
                      : board_sit(&signals->board, channel, seat, &signal_rt_notices, pending_max(), err);
}

/* What is still pending is thrown away rather than let in, and stays blocked: the others may not have noticed
 * yet that we are leaving. */
static void signal_rt_detach(void *state)
{
    struct signal_rt *signals = state;
    board_detach(&signals->board);
    const struct timespec at_once = {.tv_sec = 0};
    for (int notice = 0; notice < NOTICE_COUNT && signals->masked; notice++)
        while (sigtimedwait(&signals->taken[notice], NULL, &at_once) > 0 || errno == EINTR)
            ;
}

static void signal_rt_close(void *state, const struct channel *channel)
{
    struct signal_rt *signals = state;
    board_close(&signals->board, channel);
}

static int signal_rt_probe(struct err *err)
{
    /* Signal 0 is only the permission to send one. */
    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (pidfd < 0)
        return err_errno(err, errno, "pidfd_open (Linux 5.3)");
    int result = 0;
    if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) != 0)
        result = err_errno(err, errno, "pidfd_send_signal (see the container's seccomp filter)");
    close(pidfd);
    return result;
}

const struct mechanism signal_rt_mechanism = {
    .name = "signal_rt",
    .title = "Real-time signal and shared memory",
    .family = "signal",
    .traits = BOARD_TRAITS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct signal_rt),
    .probe = signal_rt_probe,
    .open = signal_rt_open,
    .attach = signal_rt_attach,
    .send = board_send,
    .receive = board_receive,
    .detach = signal_rt_detach,
    .close = signal_rt_close,
};
