/* loop: one epoll, and everything the server waits for behind it. Nothing runs while nothing happens.
 *
 * A source is a descriptor and a callback; the caller embeds struct loop_source and owns the descriptor.
 * Timers are timerfds: armed one-shot, unarmed they cost nothing. A source may remove itself or any other
 * inside a callback. Signals arrive through signalfd as ordinary sources.
 *
 * lag: how long callbacks kept the loop from its next wait; the longest is published (loop_lag_ns_max).
 * Threads: exactly one. */
#ifndef IPCLAB_SERVER_LOOP_H
#define IPCLAB_SERVER_LOOP_H

#include <stdint.h>

#include "common/err.h"

struct loop;

struct loop_source {
    int fd;
    void (*ready)(struct loop_source *source, uint32_t events); /* EPOLLIN … */
};

struct loop_timer {
    struct loop_source source;
    void (*expired)(struct loop_timer *timer);
};

int loop_new(struct loop **loop, struct err *err);
void loop_free(struct loop *loop);

int loop_add(struct loop *loop, struct loop_source *source, uint32_t events, struct err *err);
/* Before the descriptor is closed. After this no callback of the source runs, not even one whose event was
 * already fetched. A source that was never added is left alone. */
void loop_remove(struct loop *loop, struct loop_source *source);

int loop_timer_open(struct loop *loop, struct loop_timer *timer, void (*expired)(struct loop_timer *),
                    struct err *err);
/* Once, after delay_ns; 0 or less = as soon as possible. Arming again replaces. */
void loop_timer_arm(struct loop_timer *timer, int64_t delay_ns);
void loop_timer_disarm(struct loop_timer *timer);
/* Closing a timer that is closed, or is all zeros, does nothing. */
void loop_timer_close(struct loop *loop, struct loop_timer *timer);

/* Called before every wait: does what is due and answers how long the loop may sleep, in ns, -1 = no limit.
 * One hook: libmicrohttpd's epoll descriptor is edge-triggered and has to be asked each time. NULL = none. */
void loop_set_before_wait(struct loop *loop, int64_t (*before_wait)(void *context), void *context);

/* Until loop_quit, which may also come before it. */
int loop_run(struct loop *loop, struct err *err);
void loop_quit(struct loop *loop);

int64_t loop_lag_ns_max(const struct loop *loop);

#endif
