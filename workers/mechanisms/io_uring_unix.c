/* Unix stream socket through io_uring: io_uring_setup, mmap, io_uring_enter (io_uring(7)).
 *
 * io_uring is two rings that a process shares with the kernel: requests go into one, their results come out
 * of the other, and one system call can hand over many requests and wait for their results. Here each message
 * is one request on a Unix stream socket: with wait block io_uring_enter submits it and sleeps until it is
 * done, with wait poll it submits and then asks again and again. What that costs and brings beside send and
 * recv themselves is what this entry shows; requests that need no waiting in between, of many connections
 * say, are where io_uring gains more.
 *
 * A request that could not be done at once is finished by the process that made it, the next time it is in
 * the kernel. Left to itself the kernel interrupts the process's CPU for that, which costs an interrupt even
 * when the process is just about to ask; with IORING_SETUP_DEFER_TASKRUN it waits to be asked. So polling
 * means to call, and not to watch the ring of results in memory: measured here, a round trip of 5 us instead
 * of 23.
 *
 * The system calls are made directly: there is no wrapper for them in the C library. */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/unix_socket.h"

enum { ENTRIES = 4, STREAM_BUFFER_BYTES = 1024 * 1024 };

struct io_uring_unix {
    struct stream_socket connection; /* first: begins with the endpoint */
    bool has_rings;                  /* what follows is ours; false in a zeroed state */
    int fd;
    bool polls;
    void *rings;
    size_t rings_bytes;
    struct io_uring_sqe *requests;
    size_t requests_bytes;
    _Atomic uint32_t *request_tail, *result_head, *result_tail;
    uint32_t request_mask, result_mask;
    uint32_t *request_order;
    struct io_uring_cqe *results;
};

static int enter(struct io_uring_unix *uring, unsigned submit, unsigned wait_for)
{
    uring->connection.endpoint.system_calls++;
    return (int)syscall(SYS_io_uring_enter, uring->fd, submit, wait_for, IORING_ENTER_GETEVENTS, NULL, 0);
}

static int new_rings(struct io_uring_params *params, struct err *err)
{
    /* Linux 6.1; one before it finishes requests as it likes. */
    params->flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int fd = (int)syscall(SYS_io_uring_setup, ENTRIES, params);
    if (fd < 0 && errno == EINVAL) {
        *params = (struct io_uring_params){.flags = 0};
        fd = (int)syscall(SYS_io_uring_setup, ENTRIES, params);
    }
    if (fd < 0)
        return err_errno(
            err, errno,
            "io_uring_setup (see kernel.io_uring_disabled, ulimit -l, and the container's seccomp filter)");
    if ((params->features & IORING_FEAT_SINGLE_MMAP) != 0)
        return fd;
    close(fd);
    return err_set(err, ENOSYS, "io_uring of this kernel is older than Linux 5.4");
}

/* Both rings lie in one mapping, the requests themselves in another; the offsets are the kernel's. */
static int map_rings(struct io_uring_unix *uring, const struct io_uring_params *params, struct err *err)
{
    size_t request_end = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
    size_t result_end = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
    uring->rings_bytes = request_end > result_end ? request_end : result_end;
    uring->requests_bytes = params->sq_entries * sizeof(struct io_uring_sqe);
    int flags = MAP_SHARED | MAP_POPULATE;
    unsigned char *rings =
        mmap(NULL, uring->rings_bytes, PROT_READ | PROT_WRITE, flags, uring->fd, IORING_OFF_SQ_RING);
    if (rings == MAP_FAILED)
        return err_errno(err, errno, "map the rings of io_uring");
    uring->rings = rings;
    void *requests =
        mmap(NULL, uring->requests_bytes, PROT_READ | PROT_WRITE, flags, uring->fd, IORING_OFF_SQES);
    if (requests == MAP_FAILED)
        return err_errno(err, errno, "map the requests of io_uring");
    uring->requests = requests;
    uring->request_tail = (_Atomic uint32_t *)(void *)(rings + params->sq_off.tail);
    uring->request_order = (uint32_t *)(void *)(rings + params->sq_off.array);
    uring->request_mask = *(uint32_t *)(void *)(rings + params->sq_off.ring_mask);
    uring->result_head = (_Atomic uint32_t *)(void *)(rings + params->cq_off.head);
    uring->result_tail = (_Atomic uint32_t *)(void *)(rings + params->cq_off.tail);
    uring->result_mask = *(uint32_t *)(void *)(rings + params->cq_off.ring_mask);
    uring->results = (struct io_uring_cqe *)(void *)(rings + params->cq_off.cqes);
    return 0;
}

static int io_uring_unix_open(void *state, struct channel *channel, struct err *err)
{
    struct io_uring_unix *uring = state;
    stream_socket_init(&uring->connection);
    return unix_socket_open(channel, "uring", err);
}

static int io_uring_unix_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct io_uring_unix *uring = state;
    /* The socket itself blocks in either case: io_uring waits for it in the kernel, without us. */
    struct channel blocking = *channel;
    blocking.wait = WAIT_BLOCK;
    int64_t buffer_bytes = channel->pattern == PATTERN_STREAM ? STREAM_BUFFER_BYTES : 0;
    int result = unix_socket_meet(&uring->connection, SOCK_STREAM, &blocking, seat, buffer_bytes, err);
    if (result < 0)
        return result;
    struct io_uring_params params = {0};
    uring->polls = channel->wait == WAIT_POLL;
    uring->fd = new_rings(&params, err);
    if (uring->fd < 0)
        return uring->fd;
    uring->has_rings = true;
    return map_rings(uring, &params, err);
}

static void put_request(struct io_uring_unix *uring, uint8_t opcode, const void *bytes, size_t count)
{
    uint32_t tail = atomic_load_explicit(uring->request_tail, memory_order_relaxed);
    uint32_t index = tail & uring->request_mask;
    struct io_uring_sqe *request = &uring->requests[index];
    memset(request, 0, sizeof *request);
    request->opcode = opcode;
    request->fd = uring->connection.fd;
    request->addr = (uint64_t)(uintptr_t)bytes;
    request->len = (uint32_t)count;
    /* The whole message in one request; a send goes on by itself after a short one, as a recv does. */
    request->msg_flags = MSG_WAITALL | MSG_NOSIGNAL;
    uring->request_order[index] = index;
    atomic_store_explicit(uring->request_tail, tail + 1, memory_order_release);
}

/* What the request came to, once its result is there. */
static int await_result(struct io_uring_unix *uring)
{
    uint32_t head = atomic_load_explicit(uring->result_head, memory_order_relaxed);
    while (atomic_load_explicit(uring->result_tail, memory_order_acquire) == head)
        if (enter(uring, 0, uring->polls ? 0 : 1) < 0 && errno != EINTR)
            return -errno;
    int result = uring->results[head & uring->result_mask].res;
    atomic_store_explicit(uring->result_head, head + 1, memory_order_release);
    return result;
}

static int submit(struct io_uring_unix *uring)
{
    for (;;) {
        int submitted = enter(uring, 1, uring->polls ? 0 : 1);
        if (submitted == 1)
            return 0;
        if (submitted < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY)
            return -errno;
    }
}

static int request(struct io_uring_unix *uring, uint8_t opcode, const void *bytes, size_t count)
{
    put_request(uring, opcode, bytes, count);
    int result = submit(uring);
    return result < 0 ? result : await_result(uring);
}

static ssize_t io_uring_unix_send(void *state, const void *message, size_t bytes)
{
    struct io_uring_unix *uring = state;
    const char *from = message;
    for (size_t left = bytes; left > 0;) {
        int sent = request(uring, IORING_OP_SEND, from, left);
        if (sent < 0 && !byte_stream_again(-sent))
            return sent;
        if (sent > 0) {
            from += sent;
            left -= (size_t)sent;
        }
    }
    return (ssize_t)bytes;
}

static ssize_t io_uring_unix_receive(void *state, void *message, size_t bytes)
{
    struct io_uring_unix *uring = state;
    char *to = message;
    for (size_t left = bytes; left > 0;) {
        int got = request(uring, IORING_OP_RECV, to, left);
        if (got == 0 || got == -ECONNRESET)
            return left == bytes ? 0 : -EPIPE;
        if (got < 0 && !byte_stream_again(-got))
            return got;
        if (got > 0) {
            to += got;
            left -= (size_t)got;
        }
    }
    return (ssize_t)bytes;
}

static void io_uring_unix_detach(void *state)
{
    struct io_uring_unix *uring = state;
    stream_socket_detach(&uring->connection);
    if (uring->requests != NULL)
        munmap(uring->requests, uring->requests_bytes);
    if (uring->rings != NULL)
        munmap(uring->rings, uring->rings_bytes);
    if (uring->has_rings)
        close(uring->fd);
    uring->requests = NULL;
    uring->rings = NULL;
    uring->has_rings = false;
}

static void io_uring_unix_close(void *state, const struct channel *channel)
{
    (void)state;
    unix_socket_close(channel);
}

static int io_uring_unix_probe(struct err *err)
{
    struct io_uring_params params = {0};
    AUTO_CLOSE int fd = new_rings(&params, err);
    return fd < 0 ? fd : 0;
}

const struct mechanism io_uring_unix_mechanism = {
    .name = "io_uring_unix",
    .title = "Unix stream through io_uring",
    .family = "technique",
    .traits = TRAIT_DUPLEX | TRAIT_SYNCHRONISES,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct io_uring_unix),
    .probe = io_uring_unix_probe,
    .open = io_uring_unix_open,
    .attach = io_uring_unix_attach,
    .send = io_uring_unix_send,
    .receive = io_uring_unix_receive,
    .detach = io_uring_unix_detach,
    .close = io_uring_unix_close,
};
