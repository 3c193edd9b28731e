/* The timeline ring: what its reader is told, in what order, and what it is told when there was no room. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/criterion.h"
#include "workers/timeline.h"

struct ring {
    struct timeline *timeline;
    struct timeline_reader reader;
    struct timeline_call call; /* the last that was told */
};

static struct ring ring_new(void)
{
    static struct timeline timeline; /* each test is a process of its own */
    return (struct ring){.timeline = &timeline};
}

static enum timeline_news next(struct ring *ring)
{
    return timeline_next(ring->timeline, &ring->reader, &ring->call);
}

static void call_number(struct timeline *timeline, int number)
{
    TRACE(timeline, abs(number), "%d", number);
}

/* Begins and ends of everything that can be read now. */
static void drain(struct ring *ring, int *begun, int *ended)
{
    enum timeline_news news;
    while ((news = next(ring)) != TIMELINE_NOTHING)
        (*(news == TIMELINE_BEGUN ? begun : ended))++;
}

Test(timeline, a_call_is_told_before_it_returns)
{
    struct ring ring = ring_new();
    struct timeline_slot *slot = timeline_begin(ring.timeline, "write(fd, bytes, 7)", "%d, …, 7", 3);
    cr_expect(eq(int, next(&ring), TIMELINE_BEGUN));
    cr_expect(eq(str, ring.call.arguments, "3, …, 7"));
    cr_expect(gt(i64, ring.call.begin_ns, 0));
    cr_expect(eq(int, next(&ring), TIMELINE_NOTHING));
    timeline_end(ring.timeline, slot, 7, false);
    cr_expect(eq(int, next(&ring), TIMELINE_ENDED));
    cr_expect(eq(i64, ring.call.returned, 7));
    cr_expect(ge(i64, ring.call.end_ns, ring.call.begin_ns));
    cr_expect(eq(int, next(&ring), TIMELINE_NOTHING));
}

Test(timeline, the_value_and_errno_are_those_of_the_call)
{
    struct ring ring = ring_new();
    errno = 0;
    int result = TRACE(ring.timeline, close(-1), "-1");
    cr_expect(eq(int, result, -1));
    cr_expect(eq(int, errno, EBADF));
    next(&ring);
    next(&ring);
    cr_expect(eq(int, ring.call.error, EBADF));
    errno = ENOENT;
    call_number(ring.timeline, 5);
    cr_expect(eq(int, errno, ENOENT), "a call that succeeds leaves errno alone, and so does tracing it");
    next(&ring);
    next(&ring);
    cr_expect(eq(int, ring.call.error, 0));
}

Test(timeline, a_pointer_is_known_as_one)
{
    struct ring ring = ring_new();
    void *pointer = TRACE(ring.timeline, (void *)&ring, "");
    next(&ring);
    next(&ring);
    cr_expect(eq(ptr, pointer, &ring));
    cr_expect(ring.call.is_address);
}

Test(timeline, calls_beyond_its_size_are_counted)
{
    enum { TOO_MANY = 5 };
    struct ring ring = ring_new();
    int begun = 0, ended = 0;
    for (int i = 0; i < TIMELINE_CALLS + TOO_MANY; i++)
        call_number(ring.timeline, i);
    drain(&ring, &begun, &ended);
    cr_expect(eq(int, begun, TIMELINE_CALLS));
    cr_expect(eq(int, ended, TIMELINE_CALLS));
    cr_expect(eq(u64, timeline_dropped(ring.timeline), TOO_MANY));
    call_number(ring.timeline, 0);
    drain(&ring, &begun, &ended);
    cr_expect(eq(int, ended, TIMELINE_CALLS + 1), "there is room again");
}

Test(timeline, a_call_that_blocks_is_told_though_there_was_no_room)
{
    struct ring ring = ring_new();
    int begun = 0, ended = 0;
    for (int i = 0; i < TIMELINE_CALLS; i++)
        call_number(ring.timeline, i);
    struct timeline_slot *slot = timeline_begin(ring.timeline, "read()", "blocks");
    drain(&ring, &begun, &ended);
    cr_expect(eq(int, begun, TIMELINE_CALLS + 1));
    cr_expect(eq(str, ring.call.arguments, "blocks"));
    timeline_end(ring.timeline, slot, 9, false);
    cr_expect(eq(int, next(&ring), TIMELINE_ENDED));
    cr_expect(eq(i64, ring.call.returned, 9));
    cr_expect(zero(u64, timeline_dropped(ring.timeline)));
    call_number(ring.timeline, 0);
    drain(&ring, &begun, &ended);
    cr_expect(eq(int, begun, TIMELINE_CALLS + 2));
}

enum { RACED = 300000 };

static void *call_many(void *timeline)
{
    for (int i = 0; i < RACED; i++)
        call_number(timeline, i);
    return NULL;
}

Test(timeline, a_reader_beside_the_writer_gets_whole_calls)
{
    struct ring ring = ring_new();
    pthread_t writer;
    int64_t begun = 0, ended = 0, last = -1;
    cr_assert(zero(int, pthread_create(&writer, NULL, call_many, ring.timeline)));
    while (ended + (int64_t)timeline_dropped(ring.timeline) < RACED) {
        enum timeline_news news = next(&ring);
        if (news == TIMELINE_NOTHING)
            continue;
        begun += news == TIMELINE_BEGUN;
        ended += news == TIMELINE_ENDED;
        int64_t number = strtol(ring.call.arguments, NULL, 10);
        cr_assert(news == TIMELINE_BEGUN ? number > last : number == last, "%s after %lld",
                  ring.call.arguments, (long long)last);
        if (news == TIMELINE_ENDED)
            cr_assert(eq(i64, ring.call.returned, number));
        last = number;
    }
    pthread_join(writer, NULL);
    cr_expect(eq(i64, begun, ended));
    cr_expect(eq(i64, ended + (int64_t)timeline_dropped(ring.timeline), RACED));
}
