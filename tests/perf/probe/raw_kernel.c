/* The raw loops through the kernel. */
#include "tests/perf/probe/raw_kernel.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"

struct kernel_end {
    const struct raw_kind *kind;
    struct raw_end *end;
    unsigned char *message;
    size_t bytes;
};

static int ask(void *context)
{
    const struct kernel_end *self = context;
    int result = self->kind->send(self->end, self->message, self->bytes);
    return result < 0 ? result : self->kind->receive(self->end, self->message, self->bytes);
}

static int receive_one(void *context)
{
    const struct kernel_end *self = context;
    return self->kind->receive(self->end, self->message, self->bytes);
}

_Noreturn static void other_side(const struct kernel_end *self, enum pattern pattern)
{
    int result = 0;
    while (result >= 0) {
        if (pattern == PATTERN_ROUND_TRIP)
            result = self->kind->receive(self->end, self->message, self->bytes);
        if (result >= 0)
            result = self->kind->send(self->end, self->message, self->bytes);
    }
    _exit(1);
}

static const struct raw_kind *find_kind(const char *name)
{
    static const struct raw_kind *const tables[] = {raw_kinds, raw_wake_up_kinds, raw_technique_kinds};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct raw_kind *kind = tables[i]; kind->name != NULL; kind++)
            if (strcmp(kind->name, name) == 0)
                return kind;
    return NULL;
}

int raw_share(struct raw_pair *pair, size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    pair->shared = memory;
    pair->shared_bytes = bytes;
    return 0;
}

static void close_pair(const struct raw_kind *kind, struct raw_pair *pair)
{
    if (pair->shared != NULL)
        munmap(pair->shared, pair->shared_bytes);
    if (kind->close != NULL) {
        kind->close(pair);
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (pair->ends[i].in >= 0 && pair->ends[i].in != pair->ends[i].out)
            close(pair->ends[i].in);
        if (pair->ends[i].out >= 0)
            close(pair->ends[i].out);
    }
}

static int run_pair(const struct raw_kind *kind, struct raw_pair *pair, const struct raw_case *one,
                    struct raw_figures *figures)
{
    AUTO_FREE unsigned char *message = malloc(one->bytes);
    if (message == NULL)
        return -ENOMEM;
    memset(message, 1, one->bytes); /* or each page of it may be the one page of zeros */
    /* The measuring process asks, or receives. */
    int own = one->pattern == PATTERN_ROUND_TRIP ? 0 : 1;
    struct kernel_end self = {.kind = kind, .message = message, .bytes = one->bytes};
    int pid = raw_fork(one->cpus[1 - own]);
    self.end = &pair->ends[pid == 0 ? 1 - own : own];
    self.end->peer = pid == 0 ? getppid() : pid;
    int result = pid < 0 || kind->begin == NULL ? pid : kind->begin(self.end);
    if (pid == 0 && result < 0)
        _exit(1);
    if (pid == 0)
        other_side(&self, one->pattern);
    if (result >= 0)
        result = raw_pin(one->cpus[own]);
    if (result == 0 && one->pattern == PATTERN_ROUND_TRIP)
        result = raw_time_round_trips(one, 1, ask, &self, figures);
    else if (result == 0)
        result = raw_time_stream(one, receive_one, &self, figures);
    if (pid > 0)
        raw_reap(pid);
    return result;
}

static int kernel_run(const struct raw_case *one, struct raw_figures *figures)
{
    const struct raw_kind *kind = find_kind(one->loop);
    struct raw_pair pair = {.shared = NULL};
    for (int i = 0; i < 2; i++)
        pair.ends[i] = (struct raw_end){.out = -1,
                                        .in = -1,
                                        .room = -1,
                                        .polls = one->wait == WAIT_POLL,
                                        .streams = one->pattern == PATTERN_STREAM,
                                        .piece_bytes = SIZE_MAX};
    int result = kind->open(&pair, one);
    if (result == 0)
        result = run_pair(kind, &pair, one, figures);
    close_pair(kind, &pair);
    return result;
}

#define ROUND_TRIP (1u << PATTERN_ROUND_TRIP)
#define STREAM (1u << PATTERN_STREAM)
#define KERNEL_WAITS (1u << WAIT_BLOCK | 1u << WAIT_POLL)
#define KERNEL_LOOP(name, patterns, bytes_max)                                                               \
    {                                                                                                        \
        (name), (patterns), KERNEL_WAITS, (bytes_max), kernel_run                                            \
    }
enum {
    BYTES_MAX = 16 * 1024 * 1024,
    DATAGRAM_BYTES_MAX = 65536,
    UDP_BYTES_MAX = 65507,
    QUEUE_BYTES_MAX = 8192
};
const struct raw_loop raw_kernel_loops[] = {
    KERNEL_LOOP("pipe", ROUND_TRIP | STREAM, BYTES_MAX),
    KERNEL_LOOP("fifo", ROUND_TRIP | STREAM, BYTES_MAX),
    KERNEL_LOOP("unix_stream", ROUND_TRIP | STREAM, BYTES_MAX),
    KERNEL_LOOP("unix_dgram", ROUND_TRIP | STREAM, DATAGRAM_BYTES_MAX),
    KERNEL_LOOP("unix_seqpacket", ROUND_TRIP | STREAM, 1024 * 1024),
    KERNEL_LOOP("tcp", ROUND_TRIP | STREAM, BYTES_MAX),
    KERNEL_LOOP("udp", ROUND_TRIP | STREAM, UDP_BYTES_MAX),
    KERNEL_LOOP("mq_posix", ROUND_TRIP | STREAM, QUEUE_BYTES_MAX),
    KERNEL_LOOP("mq_sysv", ROUND_TRIP | STREAM, QUEUE_BYTES_MAX),
    KERNEL_LOOP("eventfd", ROUND_TRIP | STREAM, BYTES_MAX),
    KERNEL_LOOP("signal_rt", ROUND_TRIP | STREAM, BYTES_MAX),
    KERNEL_LOOP("pipe_vmsplice", ROUND_TRIP | STREAM, BYTES_MAX),
    KERNEL_LOOP("io_uring_unix", ROUND_TRIP | STREAM, BYTES_MAX),
    {"process_vm_readv", ROUND_TRIP | STREAM, 1u << WAIT_SPIN, BYTES_MAX, kernel_run},
    {.name = NULL},
};
