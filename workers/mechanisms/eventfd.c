/* eventfd: eventfd, read, write (eventfd(2)), with the messages in shared memory.
 *
 * An eventfd is a number of 64 bits in the kernel with a descriptor: write adds to it, read takes from it and
 * sleeps while it is 0. It costs a descriptor where a pipe costs two and a buffer, and poll and epoll know
 * it. With EFD_SEMAPHORE each read takes 1, so that it counts announcements. It says that something is there,
 * and nothing else: the messages lie in shared memory (board.h). */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/descriptor.h"
#include "workers/mechanisms/board.h"
#include "workers/mechanisms/byte_stream.h"

struct eventfd_state {
    struct board board; /* first: board_send and board_receive take the state */
    int seat;
    bool opened;                             /* by the leader; a stranger's state is zeroed */
    int fds[2][CREW_SIDE_MAX][NOTICE_COUNT]; /* [side][index]; -1: not ours */
};

static int *fd_at(struct eventfd_state *state, int number)
{
    return &state->fds[number / (CREW_SIDE_MAX * NOTICE_COUNT)][number / NOTICE_COUNT % CREW_SIDE_MAX]
                      [number % NOTICE_COUNT];
}
enum { FDS = 2 * CREW_SIDE_MAX * NOTICE_COUNT };

static void forget_all(struct eventfd_state *state)
{
    for (int number = 0; number < FDS; number++)
        *fd_at(state, number) = -1;
}

static void close_all(struct eventfd_state *state)
{
    for (int number = 0; number < FDS; number++)
        if (*fd_at(state, number) >= 0)
            close(*fd_at(state, number));
    forget_all(state);
}

/* Whether a read sleeps belongs to the open file, which all share: they all wait in the same way. */
static int open_seat(struct eventfd_state *state, int side, int index, int flags, struct err *err)
{
    for (int notice = 0; notice < NOTICE_COUNT; notice++) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE | flags);
        if (fd < 0)
            return err_errno(err, errno, "eventfd");
        state->fds[side][index][notice] = state->board.object->eventfds[side][index][notice] = fd;
    }
    return 0;
}

static int eventfd_open(void *own, struct channel *channel, struct err *err)
{
    struct eventfd_state *state = own;
    state->opened = true;
    forget_all(state);
    descriptor_allow();
    int result = board_open(&state->board, channel, 0, err);
    int flags = channel->wait == WAIT_POLL ? EFD_NONBLOCK : 0;
    for (int i = 0; i < channel->senders && result == 0; i++)
        result = open_seat(state, SEAT_SENDER, i, flags, err);
    for (int i = 0; i < channel->receivers && result == 0; i++)
        result = open_seat(state, SEAT_RECEIVER, i, flags, err);
    return result;
}

/* A stranger takes them out of the leader; a relative was born with them. */
static int take_all(struct eventfd_state *state, const struct channel *channel, struct err *err)
{
    const int counts[2] = {[SEAT_SENDER] = channel->senders, [SEAT_RECEIVER] = channel->receivers};
    const struct board_object *object = state->board.object;
    forget_all(state);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < counts[side] * NOTICE_COUNT; i++) {
            int index = i / NOTICE_COUNT, notice = i % NOTICE_COUNT;
            int fd = descriptor_take(object->leader, object->eventfds[side][index][notice], err);
            if (fd < 0)
                return fd;
            state->fds[side][index][notice] = fd;
        }
    return 0;
}

static int eventfd_give(void *own, int other, enum board_notice notice)
{
    struct eventfd_state *state = own;
    const uint64_t one = 1;
    int fd = state->fds[1 - (int)state->board.side][other][notice];
    ssize_t written = write(fd, &one, sizeof one);
    return written == sizeof one ? 0 : errno == EINTR ? -EAGAIN : -errno;
}

static int eventfd_take(void *own, enum board_notice notice)
{
    struct eventfd_state *state = own;
    uint64_t one;
    ssize_t got = read(state->fds[state->board.side][state->seat][notice], &one, sizeof one);
    return got == sizeof one ? 1 : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static const struct board_notices eventfd_notices = {.give = eventfd_give, .take = eventfd_take};

static int eventfd_attach(void *own, const struct channel *channel, struct seat seat, struct err *err)
{
    struct eventfd_state *state = own;
    state->seat = seat.index;
    int result = board_map(&state->board, channel, err);
    if (result == 0 && !state->opened)
        result = take_all(state, channel, err);
    return result < 0 ? result : board_sit(&state->board, channel, seat, &eventfd_notices, 0, err);
}

static void eventfd_detach(void *own)
{
    struct eventfd_state *state = own;
    board_detach(&state->board);
    close_all(state);
}

static void eventfd_close(void *own, const struct channel *channel)
{
    struct eventfd_state *state = own;
    close_all(state);
    board_close(&state->board, channel);
}

static int eventfd_probe(struct err *err)
{
    AUTO_CLOSE int fd = eventfd(0, EFD_CLOEXEC);
    return fd < 0 ? err_errno(err, errno, "eventfd") : 0;
}

const struct mechanism eventfd_mechanism = {
    .name = "eventfd",
    .title = "eventfd and shared memory",
    .family = "signal",
    .traits = BOARD_TRAITS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct eventfd_state),
    .probe = eventfd_probe,
    .open = eventfd_open,
    .attach = eventfd_attach,
    .send = board_send,
    .receive = board_receive,
    .detach = eventfd_detach,
    .close = eventfd_close,
};
