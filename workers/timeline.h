/* timeline: what a lab's worker does, call by call, for an observer that never touches what is observed.
 *
 * One ring for each worker, in memory that the leader shares with it. A call is published before it is made,
 * so that one that blocks is seen as an open bar, and the ring outlives a worker that is killed inside it.
 * The worker never waits for the leader: when the ring is full its newest call goes into one slot aside,
 * where the leader still finds it if it blocks, and is counted as dropped if it does not.
 *
 *     ssize_t got = TRACE(me, read(fd, line, sizeof line), "%d, …, %zu", fd, sizeof line);
 *
 * A call costs two looks at the clock and one snprintf (tests/perf/timeline measures it). Never used in a
 * timed trial. What is traced need not be a system call: a store, a load, a spin on a flag, which no tracer
 * of system calls can show.
 *
 * One writer (the worker, which must not trace inside a TRACE) and one reader (the leader) for each ring.
 * Times are CLOCK_MONOTONIC nanoseconds. */
#ifndef IPCLAB_WORKERS_TIMELINE_H
#define IPCLAB_WORKERS_TIMELINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { TIMELINE_CALLS = 1024 /* a power of two */, TIMELINE_ARGUMENTS_BYTES = 88 };

struct timeline_call {
    int64_t begin_ns, end_ns; /* end_ns is 0 while it is open */
    int64_t returned;
    const char *expression; /* a literal of the program that worker and leader both are: "write(fd, …)" */
    int error;              /* errno if returned is -1, else 0 */
    bool is_address;        /* returned is a pointer */
    bool is_told;           /* its begin came by way of the slot aside */
    char arguments[TIMELINE_ARGUMENTS_BYTES];
};

struct timeline_slot {
    _Atomic bool ended;
    struct timeline_call call;
};

struct timeline {
    _Atomic uint32_t begun;   /* calls put into slots so far; the worker's */
    _Atomic uint32_t taken;   /* slots given back; the leader's */
    _Atomic uint64_t dropped; /* the worker's */
    _Atomic uint64_t aside_state;
    struct timeline_slot aside;
    struct timeline_slot slots[TIMELINE_CALLS];
};

/* A call without arguments has an empty format. */
#pragma GCC diagnostic ignored "-Wformat-zero-length"

/* Worker. The slot to give to timeline_end. errno is kept by both. */
__attribute__((format(printf, 3, 4))) struct timeline_slot *
timeline_begin(struct timeline *timeline, const char *expression, const char *arguments, ...);
void timeline_end(struct timeline *timeline, struct timeline_slot *slot, int64_t returned, bool is_address);

/* Makes the call and is its value. The arguments are what a reader of the timeline is shown, as for printf.
 */
#define TRACE(timeline, expression, ...) TRACE_AS(timeline, #expression, expression, __VA_ARGS__)
/* The same under another name than the one before the expression's first parenthesis. */
#define TRACE_AS(timeline, name, expression, ...)                                                              \
    __extension__({                                                                                            \
        struct timeline_slot *slot_ = timeline_begin((timeline), name, __VA_ARGS__);                           \
        __auto_type returned_ = (expression);                                                                  \
        timeline_end((timeline), slot_, (int64_t)(intptr_t)returned_,                                        \
                     _Generic(returned_, void *: true, char *: true, default: false)); \
        returned_;                                                                                             \
    })

/* Leader. Begins zeroed. */
struct timeline_reader {
    uint32_t next;    /* the slot to look at */
    bool begin_taken; /* its begin was news already */
};

enum timeline_news { TIMELINE_NOTHING, TIMELINE_BEGUN, TIMELINE_ENDED };

/* The next thing that happened, in *call; a call is BEGUN once and ENDED once. */
enum timeline_news timeline_next(struct timeline *timeline, struct timeline_reader *reader,
                                 struct timeline_call *call);
/* Calls nobody will hear of. */
uint64_t timeline_dropped(const struct timeline *timeline);

#endif
