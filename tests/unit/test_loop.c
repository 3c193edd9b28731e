/* The loop: timers, sources that remove each other, the hook before a wait. */
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "server/loop.h"
#include "tests/support/criterion.h"

static struct loop *loop;
static int calls;

static void open_loop(void)
{
    cr_assert(eq(int, loop_new(&loop, NULL), 0));
    calls = 0;
}

static void close_loop(void)
{
    loop_free(loop);
}

TestSuite(loop, .init = open_loop, .fini = close_loop, .timeout = 120);

static void quit(struct loop_timer *timer)
{
    (void)timer;
    calls++;
    loop_quit(loop);
}

Test(loop, a_timer_expires_once_and_not_early)
{
    struct loop_timer timer;
    cr_assert(eq(int, loop_timer_open(loop, &timer, quit, NULL), 0));
    int64_t begin_ns = clock_now_ns();
    loop_timer_arm(&timer, 3600 * NS_PER_S);
    loop_timer_arm(&timer, 5 * NS_PER_MS); /* replaces */
    cr_assert(eq(int, loop_run(loop, NULL), 0));
    cr_expect(ge(i64, clock_now_ns() - begin_ns, 5 * NS_PER_MS));
    cr_expect(eq(int, calls, 1));
    loop_timer_close(loop, &timer);
    loop_timer_close(loop, &timer); /* a second time does nothing */
    loop_timer_arm(&timer, 1);
}

Test(loop, a_disarmed_timer_stays_silent)
{
    struct loop_timer silent, ending;
    loop_timer_open(loop, &silent, quit, NULL);
    loop_timer_open(loop, &ending, quit, NULL);
    loop_timer_arm(&silent, 1);
    loop_timer_disarm(&silent);
    loop_timer_arm(&ending, 2 * NS_PER_MS);
    loop_run(loop, NULL);
    cr_expect(eq(int, calls, 1));
    loop_timer_close(loop, &silent);
    loop_timer_close(loop, &ending);
}

struct pair {
    struct loop_source source;
    struct pair *other;
};

/* Both are ready in one batch; whichever comes first removes the other. */
static void remove_other(struct loop_source *source, uint32_t events)
{
    (void)events;
    struct pair *pair = (struct pair *)source;
    calls++;
    loop_remove(loop, &pair->other->source);
    loop_quit(loop);
}

Test(loop, a_source_removed_by_another_is_not_called)
{
    int ends[2][2];
    struct pair pairs[2];
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, pipe2(ends[i], O_CLOEXEC), 0));
        cr_assert(eq(sz, (size_t)write(ends[i][1], "x", 1), 1));
        pairs[i] = (struct pair){.source = {.fd = ends[i][0], .ready = remove_other}, .other = &pairs[1 - i]};
        cr_assert(eq(int, loop_add(loop, &pairs[i].source, EPOLLIN, NULL), 0));
    }
    loop_run(loop, NULL);
    cr_expect(eq(int, calls, 1));
    for (int i = 0; i < 2; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
}

static int64_t limit_then_quit(void *context)
{
    int *remaining = context;
    if (--*remaining == 0)
        loop_quit(loop);
    return NS_PER_MS;
}

Test(loop, the_hook_bounds_every_wait)
{
    int remaining = 3;
    loop_set_before_wait(loop, limit_then_quit, &remaining);
    loop_run(loop, NULL);
    cr_expect(eq(int, remaining, 0));
}

Test(loop, quitting_before_running_is_remembered)
{
    loop_quit(loop);
    cr_expect(eq(int, loop_run(loop, NULL), 0));
}

static void be_slow(struct loop_timer *timer)
{
    int64_t until_ns = clock_now_ns() + 3 * NS_PER_MS;
    while (clock_now_ns() < until_ns)
        ;
    if (++calls == 2)
        loop_quit(loop);
    else
        loop_timer_arm(timer, 1);
}

Test(loop, knows_how_long_it_was_kept)
{
    struct loop_timer timer;
    loop_timer_open(loop, &timer, be_slow, NULL);
    loop_timer_arm(&timer, 1);
    loop_run(loop, NULL);
    cr_expect(ge(i64, loop_lag_ns_max(loop), 3 * NS_PER_MS));
    loop_timer_close(loop, &timer);
}
