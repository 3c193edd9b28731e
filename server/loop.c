#include "server/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/clock.h"

enum { LOOP_BATCH = 64 }; /* events fetched by one wait */

struct loop {
    int epoll_fd;
    bool quit;
    int64_t (*before_wait)(void *context);
    void *before_wait_context;
    int64_t lag_ns_max;
    /* The batch being dispatched: loop_remove blanks entries in it, so that a callback may remove (and then
     * free) any other source whose event has already been fetched. */
    int batch_count;
    struct epoll_event batch[LOOP_BATCH];
};

int loop_new(struct loop **loop, struct err *err)
{
    struct loop *new = calloc(1, sizeof *new);
    if (new == NULL)
        return err_set(err, ENOMEM, "out of memory for the event loop");
    new->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (new->epoll_fd < 0) {
        int code = errno;
        free(new);
        return err_errno(err, code, "epoll_create1");
    }
    *loop = new;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    close(loop->epoll_fd);
    free(loop);
}

int loop_add(struct loop *loop, struct loop_source *source, uint32_t events, struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) != 0)
        return err_errno(err, errno, "epoll_ctl add of descriptor %d", source->fd);
    return 0;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    for (int i = 0; i < loop->batch_count; i++)
        if (loop->batch[i].data.ptr == source)
            loop->batch[i].data.ptr = NULL;
}

static void timer_ready(struct loop_source *source, uint32_t events)
{
    (void)events;
    struct loop_timer *timer = (struct loop_timer *)source; /* its first member */
    uint64_t expirations;
    /* EAGAIN: armed anew between the event and now, so this expiry no longer counts. */
    if (read(source->fd, &expirations, sizeof expirations) == (ssize_t)sizeof expirations)
        timer->expired(timer);
}

int loop_timer_open(struct loop *loop, struct loop_timer *timer, void (*expired)(struct loop_timer *),
                    struct err *err)
{
    *timer = (struct loop_timer){.source = {.ready = timer_ready}, .expired = expired};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "timerfd_create");
    timer->source.fd = fd;
    int status = loop_add(loop, &timer->source, EPOLLIN, err);
    if (status < 0) {
        close(fd);
        *timer = (struct loop_timer){.expired = NULL};
    }
    return status;
}

static bool timer_is_open(const struct loop_timer *timer)
{
    return timer->source.ready == timer_ready;
}

static void timer_set(struct loop_timer *timer, int64_t value_ns)
{
    if (!timer_is_open(timer))
        return;
    struct itimerspec when = {.it_value = {.tv_sec = value_ns / NS_PER_S, .tv_nsec = value_ns % NS_PER_S}};
    timerfd_settime(timer->source.fd, 0, &when, NULL);
}

void loop_timer_arm(struct loop_timer *timer, int64_t delay_ns)
{
    timer_set(timer, delay_ns > 0 ? delay_ns : 1); /* zero would disarm */
}

void loop_timer_disarm(struct loop_timer *timer)
{
    timer_set(timer, 0);
}

void loop_timer_close(struct loop *loop, struct loop_timer *timer)
{
    if (!timer_is_open(timer))
        return;
    loop_remove(loop, &timer->source);
    close(timer->source.fd);
    *timer = (struct loop_timer){.expired = NULL};
}

void loop_set_before_wait(struct loop *loop, int64_t (*before_wait)(void *context), void *context)
{
    loop->before_wait = before_wait;
    loop->before_wait_context = context;
}

/* Rounded up: waking early would only mean waiting again. */
static int wait_ms(int64_t limit_ns)
{
    if (limit_ns < 0)
        return -1;
    int64_t ms = (limit_ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms < 60 * MS_PER_S ? (int)ms : (int)(60 * MS_PER_S);
}

static void dispatch(struct loop *loop)
{
    for (int i = 0; i < loop->batch_count; i++) {
        struct loop_source *source = loop->batch[i].data.ptr;
        if (source != NULL)
            source->ready(source, loop->batch[i].events);
    }
    loop->batch_count = 0;
}

int loop_run(struct loop *loop, struct err *err)
{
    int64_t woke_ns = clock_now_ns();
    while (!loop->quit) {
        int64_t limit_ns = loop->before_wait != NULL ? loop->before_wait(loop->before_wait_context) : -1;
        if (loop->quit)
            break;
        int64_t lag_ns = clock_now_ns() - woke_ns;
        if (lag_ns > loop->lag_ns_max)
            loop->lag_ns_max = lag_ns;
        int count = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, wait_ms(limit_ns));
        woke_ns = clock_now_ns();
        if (count < 0 && errno != EINTR)
            return err_errno(err, errno, "epoll_wait");
        loop->batch_count = count > 0 ? count : 0;
        dispatch(loop);
    }
    loop->quit = false;
    return 0;
}

void loop_quit(struct loop *loop)
{
    loop->quit = true;
}

int64_t loop_lag_ns_max(const struct loop *loop)
{
    return loop->lag_ns_max;
}
