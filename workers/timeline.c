#include "workers/timeline.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"

/* The slot aside is in one of these states; the rest of the word counts its uses, so that a state of one call
 * is never taken for that of another. */
enum { ASIDE_IDLE, ASIDE_OPEN, ASIDE_TAKEN, ASIDE_USE = 4 };

static struct timeline_slot *next_slot(struct timeline *timeline)
{
    return &timeline->slots[atomic_load_explicit(&timeline->begun, memory_order_relaxed) % TIMELINE_CALLS];
}

static bool has_room(const struct timeline *timeline)
{
    uint32_t begun = atomic_load_explicit(&timeline->begun, memory_order_relaxed);
    return begun - atomic_load_explicit(&timeline->taken, memory_order_acquire) < TIMELINE_CALLS;
}

static void publish(struct timeline *timeline)
{
    atomic_fetch_add_explicit(&timeline->begun, 1, memory_order_release);
}

static void publish_aside(struct timeline *timeline)
{
    uint64_t state = atomic_load_explicit(&timeline->aside_state, memory_order_relaxed);
    atomic_store_explicit(&timeline->aside_state, state / ASIDE_USE * ASIDE_USE + ASIDE_USE + ASIDE_OPEN,
                          memory_order_release);
    atomic_fetch_add_explicit(&timeline->dropped, 1, memory_order_relaxed);
}

struct timeline_slot *timeline_begin(struct timeline *timeline, const char *expression, const char *arguments,
                                     ...)
{
    int error = errno;
    bool is_aside = !has_room(timeline);
    struct timeline_slot *slot = is_aside ? &timeline->aside : next_slot(timeline);
    va_list values;
    va_start(values, arguments);
    vsnprintf(slot->call.arguments, sizeof slot->call.arguments, arguments, values);
    va_end(values);
    slot->call.expression = expression;
    slot->call.end_ns = 0;
    slot->call.is_told = false;
    atomic_store_explicit(&slot->ended, false, memory_order_relaxed);
    slot->call.begin_ns = clock_now_ns();
    if (is_aside)
        publish_aside(timeline);
    else
        publish(timeline);
    errno = error;
    return slot;
}

/* Nobody looked while it was open: it stays dropped. Otherwise the leader had emptied the ring by then, so
 * there is room to tell it the end. */
static void end_aside(struct timeline *timeline)
{
    uint64_t state = atomic_load_explicit(&timeline->aside_state, memory_order_acquire);
    if (state % ASIDE_USE == ASIDE_OPEN &&
        atomic_compare_exchange_strong(&timeline->aside_state, &state, state - ASIDE_OPEN + ASIDE_IDLE))
        return;
    struct timeline_slot *slot = next_slot(timeline);
    slot->call = timeline->aside.call;
    slot->call.is_told = true;
    atomic_store_explicit(&slot->ended, true, memory_order_relaxed);
    publish(timeline);
    atomic_fetch_sub_explicit(&timeline->dropped, 1, memory_order_relaxed);
}

void timeline_end(struct timeline *timeline, struct timeline_slot *slot, int64_t returned, bool is_address)
{
    int error = errno;
    slot->call.end_ns = clock_now_ns();
    slot->call.returned = returned;
    slot->call.error = returned == -1 ? error : 0;
    slot->call.is_address = is_address;
    if (slot == &timeline->aside)
        end_aside(timeline);
    else
        atomic_store_explicit(&slot->ended, true, memory_order_release);
    errno = error;
}

/* The copy is whole if the state has not changed since before it was made. Between finding the slots empty
 * and finding this one open all of them may have been filled: they come first, and only once they are empty
 * is there room for the end of this call. */
static bool take_aside(struct timeline *timeline, const struct timeline_reader *reader,
                       struct timeline_call *call)
{
    uint64_t state = atomic_load_explicit(&timeline->aside_state, memory_order_acquire);
    if (state % ASIDE_USE != ASIDE_OPEN ||
        reader->next != atomic_load_explicit(&timeline->begun, memory_order_acquire))
        return false;
    *call = timeline->aside.call;
    call->end_ns = 0;
    return atomic_compare_exchange_strong(&timeline->aside_state, &state, state - ASIDE_OPEN + ASIDE_TAKEN);
}

enum timeline_news timeline_next(struct timeline *timeline, struct timeline_reader *reader,
                                 struct timeline_call *call)
{
    if (reader->next == atomic_load_explicit(&timeline->begun, memory_order_acquire))
        return take_aside(timeline, reader, call) ? TIMELINE_BEGUN : TIMELINE_NOTHING;
    struct timeline_slot *slot = &timeline->slots[reader->next % TIMELINE_CALLS];
    bool ended = atomic_load_explicit(&slot->ended, memory_order_acquire);
    *call = slot->call;
    if (!reader->begin_taken && !slot->call.is_told) {
        reader->begin_taken = true;
        return TIMELINE_BEGUN;
    }
    if (!ended)
        return TIMELINE_NOTHING;
    reader->begin_taken = false;
    reader->next++;
    atomic_store_explicit(&timeline->taken, reader->next, memory_order_release);
    return TIMELINE_ENDED;
}

uint64_t timeline_dropped(const struct timeline *timeline)
{
    return atomic_load_explicit(&timeline->dropped, memory_order_relaxed);
}
