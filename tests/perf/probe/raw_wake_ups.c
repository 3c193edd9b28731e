/* Wake-ups beside memory: the payload lies in shared memory, and the kernel says that it is there. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/perf/probe/raw_kernel.h"

enum {
    LINE_BYTES = 64,
    STREAM_BYTES = 4 * 1024 * 1024,
    STREAM_SLOTS_MIN = 4,
    STREAM_SLOTS_MAX = 1024,
};
enum notice { NOTICE_MESSAGE, NOTICE_ROOM };

static uint64_t slot_count(size_t slot_bytes, bool streams)
{
    uint64_t fit = STREAM_BYTES / slot_bytes;
    if (!streams)
        return 1;
    fit = fit < STREAM_SLOTS_MAX ? fit : STREAM_SLOTS_MAX;
    return fit > STREAM_SLOTS_MIN ? fit : STREAM_SLOTS_MIN;
}

static int share_lanes(struct raw_pair *pair, const struct raw_case *one)
{
    bool streams = one->pattern == PATTERN_STREAM;
    size_t slot_bytes = (one->bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    uint64_t count = slot_count(slot_bytes, streams);
    int result = raw_share(pair, 2 * count * slot_bytes);
    if (result < 0)
        return result;
    struct raw_lane lane = {.slots = pair->shared,
                            .slot_bytes = slot_bytes,
                            .count = count,
                            .credit = count,
                            .notice_every = streams ? count / STREAM_SLOTS_MIN : 0};
    pair->ends[0].put = pair->ends[1].get = lane;
    lane.slots += count * slot_bytes;
    pair->ends[0].get = pair->ends[1].put = lane;
    return 0;
}

static inline unsigned char *next_slot(struct raw_lane *lane)
{
    unsigned char *slot = lane->slots + lane->at * lane->slot_bytes;
    lane->at = lane->at + 1 == lane->count ? 0 : lane->at + 1;
    return slot;
}

typedef int give_notice(struct raw_end *end, enum notice notice);
typedef int take_notice(struct raw_end *end, enum notice notice);

static inline int lane_send(struct raw_end *end, const unsigned char *message, size_t bytes,
                            give_notice *give, take_notice *take)
{
    struct raw_lane *lane = &end->put;
    if (lane->notice_every > 0 && lane->credit-- == 0) {
        int result = take(end, NOTICE_ROOM);
        if (result < 0)
            return result;
        lane->credit = lane->notice_every - 1;
    }
    memcpy(next_slot(lane), message, bytes);
    return give(end, NOTICE_MESSAGE);
}

static inline int lane_receive(struct raw_end *end, unsigned char *message, size_t bytes, give_notice *give,
                               take_notice *take)
{
    struct raw_lane *lane = &end->get;
    int result = take(end, NOTICE_MESSAGE);
    if (result < 0)
        return result;
    memcpy(message, next_slot(lane), bytes);
    if (lane->notice_every == 0 || ++lane->taken < lane->notice_every)
        return 0;
    lane->taken = 0;
    return give(end, NOTICE_ROOM);
}

/* ---- eventfd ---- */

static int eventfd_open(struct raw_pair *pair, const struct raw_case *one)
{
    int flags = EFD_CLOEXEC | EFD_SEMAPHORE | (one->wait == WAIT_POLL ? EFD_NONBLOCK : 0);
    int there = eventfd(0, flags), back = eventfd(0, flags), room = eventfd(0, flags);
    raw_join(pair, there, there, back, back);
    pair->ends[0].room = pair->ends[1].room = room;
    return there < 0 || back < 0 || room < 0 ? -errno : share_lanes(pair, one);
}

static inline int eventfd_give(struct raw_end *end, enum notice notice)
{
    const uint64_t one = 1;
    int fd = notice == NOTICE_ROOM ? end->room : end->out;
    return write(fd, &one, sizeof one) == sizeof one ? 0 : -errno;
}

static inline int eventfd_take(struct raw_end *end, enum notice notice)
{
    uint64_t one;
    int fd = notice == NOTICE_ROOM ? end->room : end->in;
    while (read(fd, &one, sizeof one) < 0)
        if (!raw_is_again(end))
            return -errno;
    return 0;
}

static int eventfd_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    return lane_send(end, message, bytes, eventfd_give, eventfd_take);
}

static int eventfd_receive(struct raw_end *end, unsigned char *message, size_t bytes)
{
    return lane_receive(end, message, bytes, eventfd_give, eventfd_take);
}

static void eventfd_close(struct raw_pair *pair)
{
    const int fds[] = {pair->ends[0].out, pair->ends[1].out, pair->ends[0].room};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* ---- signals ---- */

static int number_of(enum notice notice)
{
    return SIGRTMIN + (int)notice;
}

static int signal_open(struct raw_pair *pair, const struct raw_case *one)
{
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, number_of(NOTICE_MESSAGE));
    sigaddset(&both, number_of(NOTICE_ROOM));
    return sigprocmask(SIG_BLOCK, &both, NULL) == 0 ? share_lanes(pair, one) : -errno;
}

/* EAGAIN: as many are under way as the kernel queues. */
static inline int signal_give(struct raw_end *end, enum notice notice)
{
    while (sigqueue(end->peer, number_of(notice), (union sigval){.sival_int = 0}) != 0)
        if (errno != EAGAIN)
            return -errno;
    return 0;
}

static inline int signal_take(struct raw_end *end, enum notice notice)
{
    const struct timespec at_once = {.tv_sec = 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number_of(notice));
    while ((end->polls ? sigtimedwait(&set, NULL, &at_once) : sigwaitinfo(&set, NULL)) < 0)
        if (!raw_is_again(end))
            return -errno;
    return 0;
}

static int signal_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    return lane_send(end, message, bytes, signal_give, signal_take);
}

static int signal_receive(struct raw_end *end, unsigned char *message, size_t bytes)
{
    return lane_receive(end, message, bytes, signal_give, signal_take);
}

const struct raw_kind raw_wake_up_kinds[] = {
    {.name = "eventfd",
     .open = eventfd_open,
     .send = eventfd_send,
     .receive = eventfd_receive,
     .close = eventfd_close},
    {.name = "signal_rt", .open = signal_open, .send = signal_send, .receive = signal_receive},
    {.name = NULL},
};
