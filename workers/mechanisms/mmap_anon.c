/* Anonymous mapping: mmap with MAP_SHARED | MAP_ANONYMOUS, fork, munmap (mmap(2)).
 *
 * Memory with neither a name nor a descriptor: the only way to it is to be born with it. fork copies the page
 * tables, and because the mapping is MAP_SHARED parent and children go on to have the same pages, at the same
 * address; with MAP_PRIVATE, as everything malloc gives, the first store would part them. Nobody has to clean
 * up: the pages go with the last process that maps them.
 *
 * The mapping does not synchronise: the ring (workers/ring.h) does. */
#include "workers/mechanisms/mapped.h"

static int mmap_anon_open(void *state, struct channel *channel, struct err *err)
{
    return mapped_open(state, -1, channel, err);
}

static int mmap_anon_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    return mapped_sit(state, channel, seat, err);
}

static void mmap_anon_close(void *state, const struct channel *channel)
{
    (void)channel;
    mapped_close(state);
}

static int mmap_anon_probe(struct err *err)
{
    (void)err;
    return 0;
}

const struct mechanism mmap_anon_mechanism = {
    .name = "mmap_anon",
    .title = "Anonymous mapping",
    .family = "memory",
    .traits = MAPPED_TRAITS | TRAIT_RELATED_ONLY,
    .waits = RING_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct mapped),
    .probe = mmap_anon_probe,
    .open = mmap_anon_open,
    .attach = mmap_anon_attach,
    .send = ring_send,
    .receive = ring_receive,
    .detach = mapped_detach,
    .close = mmap_anon_close,
};
