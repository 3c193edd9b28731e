/* Other ways into the kernel: pages given to a pipe, a copy out of another process, requests in a ring. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/perf/probe/raw_kernel.h"

/* ---- pipe with vmsplice ---- */

enum { PAGE_BYTES = 4096, PIECE_BYTES = 64 * 1024 };

/* Larger than the pipe by a piece: by the time a page is laid into again, it has come out. */
static struct {
    unsigned char *bytes;
    size_t size, at;
} pool;

static int vmsplice_begin(struct raw_end *end)
{
    int capacity = fcntl(end->out, F_GETPIPE_SZ);
    if (capacity < 0)
        return -errno;
    pool.size = (size_t)capacity + PIECE_BYTES;
    pool.bytes =
        mmap(NULL, pool.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return pool.bytes == MAP_FAILED ? -errno : 0;
}

static int vmsplice_all(const struct raw_end *end, unsigned char *pages, size_t bytes)
{
    struct iovec piece = {.iov_base = pages, .iov_len = bytes};
    while (piece.iov_len > 0) {
        ssize_t moved = vmsplice(end->out, &piece, 1, end->polls ? SPLICE_F_NONBLOCK : 0);
        if (moved < 0 && !raw_is_again(end))
            return -errno;
        if (moved > 0) {
            piece.iov_base = (char *)piece.iov_base + moved;
            piece.iov_len -= (size_t)moved;
        }
    }
    return 0;
}

static int vmsplice_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (bytes > 0) {
        size_t to_end = pool.size - pool.at, piece = bytes < PIECE_BYTES ? bytes : PIECE_BYTES;
        piece = piece < to_end ? piece : to_end;
        memcpy(pool.bytes + pool.at, message, piece);
        int result = vmsplice_all(end, pool.bytes + pool.at, piece);
        if (result < 0)
            return result;
        pool.at = (pool.at + piece + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES % pool.size;
        message += piece;
        bytes -= piece;
    }
    return 0;
}

/* ---- copy out of another process ---- */

/* Each process has its message at the same address: it was there before they parted. A number says that the
 * message may be read, and in a stream another one that it was; in a round trip the answer says so. */
struct read_flag {
    alignas(RAW_LINE_BYTES) _Atomic uint32_t offered;
    alignas(RAW_LINE_BYTES) _Atomic uint32_t taken;
};

static uint32_t offers_made, offers_taken;

static int read_open(struct raw_pair *pair, const struct raw_case *one)
{
    (void)one;
    int result = raw_share(pair, 2 * sizeof(struct read_flag));
    if (result < 0)
        return result;
    pair->ends[0].put.slots = pair->ends[1].get.slots = pair->shared;
    pair->ends[0].get.slots = pair->ends[1].put.slots = pair->ends[0].put.slots + sizeof(struct read_flag);
    return 0;
}

static int read_begin(struct raw_end *end)
{
    (void)end;
    offers_made = offers_taken = 0;
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* where Yama restricts debugging */
    return 0;
}

static inline void await(_Atomic uint32_t *flag, uint32_t number)
{
    while (atomic_load_explicit(flag, memory_order_acquire) != number)
        ;
}

static int read_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    struct read_flag *flag = (struct read_flag *)(void *)end->put.slots;
    (void)message;
    (void)bytes;
    atomic_store_explicit(&flag->offered, ++offers_made, memory_order_release);
    if (end->streams)
        await(&flag->taken, offers_made);
    return 0;
}

static int read_receive(struct raw_end *end, unsigned char *message, size_t bytes)
{
    struct read_flag *flag = (struct read_flag *)(void *)end->get.slots;
    struct iovec here = {.iov_base = message, .iov_len = bytes};
    await(&flag->offered, ++offers_taken);
    ssize_t got = process_vm_readv(end->peer, &here, 1, &here, 1, 0);
    if (got != (ssize_t)bytes)
        return got < 0 ? -errno : -EIO;
    if (end->streams)
        atomic_store_explicit(&flag->taken, offers_taken, memory_order_release);
    return 0;
}

/* ---- Unix stream through io_uring ---- */

enum { ENTRIES = 4 };

static struct {
    int fd;
    struct io_uring_sqe *requests;
    struct io_uring_cqe *results;
    _Atomic uint32_t *request_tail, *result_head, *result_tail;
    uint32_t *request_order;
    uint32_t request_mask, result_mask;
} uring;

/* The socket itself blocks: io_uring waits for it in the kernel. */
static int uring_open(struct raw_pair *pair, const struct raw_case *one)
{
    int result = raw_open_unix_stream(pair, one);
    for (int i = 0; i < 2 && result == 0; i++)
        result = fcntl(pair->ends[i].out, F_SETFL, 0) == 0 ? 0 : -errno;
    return result;
}

static int uring_setup(struct io_uring_params *params)
{
    *params = (struct io_uring_params){.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    int fd = (int)syscall(SYS_io_uring_setup, ENTRIES, params);
    return fd < 0 ? -errno : fd;
}

static int uring_begin(struct raw_end *end)
{
    (void)end;
    struct io_uring_params params;
    uring.fd = uring_setup(&params);
    if (uring.fd < 0)
        return uring.fd;
    /* Both rings lie in one mapping, of a page at most with so few entries; so do the requests. */
    int flags = MAP_SHARED | MAP_POPULATE;
    unsigned char *rings =
        mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, flags, uring.fd, IORING_OFF_SQ_RING);
    void *requests = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, flags, uring.fd, IORING_OFF_SQES);
    if (rings == MAP_FAILED || requests == MAP_FAILED)
        return -errno;
    uring.requests = requests;
    uring.results = (struct io_uring_cqe *)(void *)(rings + params.cq_off.cqes);
    uring.request_tail = (_Atomic uint32_t *)(void *)(rings + params.sq_off.tail);
    uring.request_order = (uint32_t *)(void *)(rings + params.sq_off.array);
    uring.request_mask = *(uint32_t *)(void *)(rings + params.sq_off.ring_mask);
    uring.result_head = (_Atomic uint32_t *)(void *)(rings + params.cq_off.head);
    uring.result_tail = (_Atomic uint32_t *)(void *)(rings + params.cq_off.tail);
    uring.result_mask = *(uint32_t *)(void *)(rings + params.cq_off.ring_mask);
    return 0;
}

static void uring_put(uint8_t opcode, int fd, const void *bytes, size_t count)
{
    uint32_t tail = atomic_load_explicit(uring.request_tail, memory_order_relaxed);
    uint32_t index = tail & uring.request_mask;
    uring.requests[index] = (struct io_uring_sqe){.opcode = opcode,
                                                  .fd = fd,
                                                  .addr = (uint64_t)(uintptr_t)bytes,
                                                  .len = (uint32_t)count,
                                                  .msg_flags = MSG_WAITALL | MSG_NOSIGNAL};
    uring.request_order[index] = index;
    atomic_store_explicit(uring.request_tail, tail + 1, memory_order_release);
}

/* What was put is handed over, and its result awaited: asleep, or asking again and again. */
static int uring_finish(unsigned wait_for)
{
    uint32_t head = atomic_load_explicit(uring.result_head, memory_order_relaxed);
    unsigned submit = 1;
    do {
        long done = syscall(SYS_io_uring_enter, uring.fd, submit, wait_for, IORING_ENTER_GETEVENTS, NULL, 0);
        if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0)
            submit = 0;
    } while (atomic_load_explicit(uring.result_tail, memory_order_acquire) == head);
    int result = uring.results[head & uring.result_mask].res;
    atomic_store_explicit(uring.result_head, head + 1, memory_order_release);
    return result;
}

static inline int uring_all(uint8_t opcode, const struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (bytes > 0) {
        uring_put(opcode, end->out, message, bytes);
        int moved = uring_finish(end->polls ? 0 : 1);
        if (moved <= 0)
            return moved == 0 ? -EPIPE : moved;
        message += moved;
        bytes -= (size_t)moved;
    }
    return 0;
}

static int uring_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    return uring_all(IORING_OP_SEND, end, message, bytes);
}

static int uring_receive(struct raw_end *end, unsigned char *message, size_t bytes)
{
    return uring_all(IORING_OP_RECV, end, message, bytes);
}

const struct raw_kind raw_technique_kinds[] = {
    {.name = "pipe_vmsplice",
     .open = raw_open_pipes,
     .begin = vmsplice_begin,
     .send = vmsplice_send,
     .receive = raw_receive_bytes},
    {.name = "process_vm_readv",
     .open = read_open,
     .begin = read_begin,
     .send = read_send,
     .receive = read_receive},
    {.name = "io_uring_unix",
     .open = uring_open,
     .begin = uring_begin,
     .send = uring_send,
     .receive = uring_receive},
    {.name = NULL},
};
