/* process_vm_readv: a receiver that copies straight out of the sender's memory (process_vm_readv(2)).
 *
 * Between two processes every other mechanism here copies a message twice, into a buffer and out of it, or
 * asks both to work inside shared memory. This call copies once, from any address of another process to any
 * address of ours, with the rights of a debugger (ptrace(2), "access mode checking"): the same user, and
 * where the Yama module restricts debugging to ancestors, the other's consent. It moves data and nothing
 * else. So the sender offers an address and a length through a ring of shared memory (workers/ring.h), with
 * the wait the case names, and may not touch the message until the receiver says through the same ring that
 * it has it: they meet at every message, and no buffer lies between them. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workers/descriptor.h"
#include "workers/mechanisms/shared_file.h"
#include "workers/ring.h"

static const char kind[] = "offers";

struct offer {
    uint64_t address;
    uint32_t bytes;
    int32_t pid;
};

struct process_vm {
    struct ring ring; /* first: begins with the endpoint */
    struct shared_file file;
    pid_t pid; /* ours */
};

/* The channel of the offers: small messages there, and as small ones back. */
static struct channel offers_of(const struct channel *channel)
{
    struct channel offers = *channel;
    offers.message_bytes = sizeof(struct offer);
    offers.buffer_bytes = 0;
    offers.pattern = PATTERN_ROUND_TRIP;
    return offers;
}

static int process_vm_open(void *state, struct channel *channel, struct err *err)
{
    struct process_vm *vm = state;
    if (channel->buffer_bytes > 0)
        return err_set(err, EINVAL, "process_vm_readv has no buffer to be set: leave buffer_bytes out");
    struct channel offers = offers_of(channel);
    int result = shared_file_create(&vm->file, channel, kind, ring_object_bytes(&offers), err);
    return result < 0 ? result : ring_open(&vm->ring, vm->file.memory, &offers, err);
}

static int process_vm_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct process_vm *vm = state;
    struct channel offers = offers_of(channel);
    int result = shared_file_open(&vm->file, channel, kind, err);
    if (result == 0)
        result = ring_attach(&vm->ring, vm->file.memory, &offers, seat, err);
    if (result < 0)
        return result;
    vm->ring.endpoint.buffer_bytes = 0;
    vm->pid = getpid();
    descriptor_allow(); /* the receivers, to read our memory */
    return 0;
}

static ssize_t process_vm_send(void *state, const void *message, size_t bytes)
{
    struct process_vm *vm = state;
    struct offer offer = {
        .address = (uint64_t)(uintptr_t)message, .bytes = (uint32_t)bytes, .pid = (int32_t)vm->pid};
    ssize_t result = ring_send(&vm->ring, &offer, sizeof offer);
    if (result < 0)
        return result;
    result = ring_receive(&vm->ring, &offer, sizeof offer);
    return result > 0 ? (ssize_t)bytes : result == 0 ? -EPIPE : result;
}

/* One call moves what it can reach without a fault, which may be less than it was asked for. */
static ssize_t copy_offered(struct process_vm *vm, const struct offer *offer, char *to, size_t bytes)
{
    for (size_t copied = 0; copied < bytes;) {
        struct iovec here = {.iov_base = to + copied, .iov_len = bytes - copied};
        struct iovec there = {.iov_base = (char *)(uintptr_t)offer->address + copied,
                              .iov_len = bytes - copied};
        ssize_t got = process_vm_readv(offer->pid, &here, 1, &there, 1, 0);
        vm->ring.endpoint.system_calls++;
        if (got <= 0)
            return got < 0 && errno != ESRCH ? -errno : 0;
        copied += (size_t)got;
    }
    return (ssize_t)bytes;
}

static ssize_t process_vm_receive(void *state, void *message, size_t bytes)
{
    struct process_vm *vm = state;
    struct offer offer;
    ssize_t result = ring_receive(&vm->ring, &offer, sizeof offer);
    if (result <= 0)
        return result;
    if (offer.bytes != bytes)
        return -EPROTO;
    /* A sender that died takes with it what it had only offered: that is the end of its stream. */
    result = copy_offered(vm, &offer, message, bytes);
    if (result <= 0)
        return result;
    /* It may die now: the message is here all the same. */
    ssize_t told = ring_send(&vm->ring, &offer, sizeof offer);
    return told < 0 && told != -EPIPE ? told : result;
}

static void process_vm_detach(void *state)
{
    struct process_vm *vm = state;
    ring_detach(&vm->ring);
    shared_file_unmap(&vm->file);
}

static void process_vm_close(void *state, const struct channel *channel)
{
    struct process_vm *vm = state;
    ring_close(&vm->ring);
    shared_file_remove(&vm->file, channel, kind);
}

/* Between two processes neither of which is the other's ancestor it is the same call with the same checks. */
static int read_parent(const int *value, pid_t parent)
{
    int copy = 0;
    struct iovec here = {.iov_base = &copy, .iov_len = sizeof copy};
    struct iovec there = {.iov_base = (void *)(uintptr_t)value, .iov_len = sizeof *value};
    if (process_vm_readv(parent, &here, 1, &there, 1, 0) != sizeof copy)
        return errno;
    return copy == *value ? 0 : EIO;
}

static int process_vm_probe(struct err *err)
{
    const int value = 42;
    pid_t parent = getpid();
    descriptor_allow();
    pid_t child = fork();
    if (child < 0)
        return err_errno(err, errno, "fork");
    if (child == 0)
        _exit(read_parent(&value, parent));
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    int error = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
    if (error == 0)
        return 0;
    return err_errno(err, error,
                     "process_vm_readv (see kernel.yama.ptrace_scope, at most 1, and the container's seccomp "
                     "filter)");
}

const struct mechanism process_vm_readv_mechanism = {
    .name = "process_vm_readv",
    .title = "Copy from memory (process_vm_readv)",
    .family = "technique",
    .traits = TRAIT_BOUNDARIES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS,
    .waits = RING_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct process_vm),
    .probe = process_vm_probe,
    .open = process_vm_open,
    .attach = process_vm_attach,
    .send = process_vm_send,
    .receive = process_vm_receive,
    .detach = process_vm_detach,
    .close = process_vm_close,
};
