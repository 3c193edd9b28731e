/* words: the vocabulary shared by C, SQL, JSON and the page.
 *
 * Each enum and its names stand in one list, so that a value and its text cannot drift apart. The names are
 * the API's. */
#ifndef IPCLAB_COMMON_WORDS_H
#define IPCLAB_COMMON_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_ENUM(symbol, name) symbol,

/* What the workers do with a mechanism. */
#define PATTERN_WORDS(WORD)                                                                                  \
    WORD(PATTERN_ROUND_TRIP, "round_trip") /* latency: there and back, one message in flight */              \
    WORD(PATTERN_STREAM, "stream")         /* throughput: one way, as fast as it goes */                     \
    WORD(PATTERN_PACED, "paced")           /* latency at a fixed offered rate, from the intended send */
enum pattern { PATTERN_WORDS(WORDS_ENUM) PATTERN_COUNT };

/* How a worker waits for data or room. The first six fit mechanisms that do not synchronise, the last two the
 * rest. */
#define WAIT_WORDS(WORD)                                                                                     \
    WORD(WAIT_SPIN, "spin")                                                                                  \
    WORD(WAIT_SPIN_FUTEX, "spin_futex")                                                                      \
    WORD(WAIT_FUTEX, "futex")                                                                                \
    WORD(WAIT_SEM_POSIX, "sem_posix")                                                                        \
    WORD(WAIT_SEM_SYSV, "sem_sysv")                                                                          \
    WORD(WAIT_EVENTFD, "eventfd")                                                                            \
    WORD(WAIT_BLOCK, "block")                                                                                \
    WORD(WAIT_POLL, "poll") /* non-blocking calls in a loop */
enum wait { WAIT_WORDS(WORDS_ENUM) WAIT_COUNT };
enum { WAIT_MEMORY_COUNT = WAIT_BLOCK };
/* Does it keep the CPU while nothing happens? Then two that wait for each other must not share one. */
static inline bool wait_spins(enum wait wait)
{
    return wait == WAIT_SPIN || wait == WAIT_SPIN_FUTEX || wait == WAIT_POLL;
}

#define PLACEMENT_WORDS(WORD)                                                                                \
    WORD(PLACEMENT_TWO_CPUS, "two_cpus")                                                                     \
    WORD(PLACEMENT_SAME_CPU, "same_cpu")                                                                     \
    WORD(PLACEMENT_FREE, "free")
enum placement { PLACEMENT_WORDS(WORDS_ENUM) PLACEMENT_COUNT };

#define RELATION_WORDS(WORD)                                                                                 \
    WORD(RELATION_RELATED, "related")     /* forked: what the leader opened is inherited */                  \
    WORD(RELATION_UNRELATED, "unrelated") /* exec'd: no channel descriptor is inherited, the name must do */
enum relation { RELATION_WORDS(WORDS_ENUM) RELATION_COUNT };

#define VERIFY_WORDS(WORD)                                                                                   \
    WORD(VERIFY_FULL, "full")     /* every byte of every message */                                          \
    WORD(VERIFY_HEADER, "header") /* sequence, sender, length, and the sequence again at the end */          \
    WORD(VERIFY_NONE, "none")
enum verify { VERIFY_WORDS(WORDS_ENUM) VERIFY_COUNT };

/* Where the two CPUs of a trial are to each other, by the one-way time of a cache line. */
#define DISTANCE_WORDS(WORD)                                                                                 \
    WORD(DISTANCE_SAME, "same")   /* one CPU: nothing to cross */                                            \
    WORD(DISTANCE_S, "S")         /* siblings of one core */                                                 \
    WORD(DISTANCE_C, "C")         /* one cache complex */                                                    \
    WORD(DISTANCE_X, "X")         /* across complexes */                                                     \
    WORD(DISTANCE_MIXED, "mixed") /* it changed during the trial */
enum distance { DISTANCE_WORDS(WORDS_ENUM) DISTANCE_COUNT };

#define RUN_STATE_WORDS(WORD)                                                                                \
    WORD(RUN_QUEUED, "queued")                                                                               \
    WORD(RUN_RUNNING, "running")                                                                             \
    WORD(RUN_DONE, "done")                                                                                   \
    WORD(RUN_FAILED, "failed")                                                                               \
    WORD(RUN_CANCELLED, "cancelled")                                                                         \
    WORD(RUN_INTERRUPTED, "interrupted")
enum run_state { RUN_STATE_WORDS(WORDS_ENUM) RUN_STATE_COUNT };

/* What a lab's attempt or a claim's check goes through. */
#define ACTIVITY_STATE_WORDS(WORD)                                                                           \
    WORD(ACTIVITY_QUEUED, "queued")                                                                          \
    WORD(ACTIVITY_RUNNING, "running")                                                                        \
    WORD(ACTIVITY_DONE, "done")                                                                              \
    WORD(ACTIVITY_FAILED, "failed")                                                                          \
    WORD(ACTIVITY_CANCELLED, "cancelled")
enum activity_state { ACTIVITY_STATE_WORDS(WORDS_ENUM) ACTIVITY_STATE_COUNT };

/* What a check finds about its claim, computed from the evidence. */
#define VERDICT_WORDS(WORD)                                                                                  \
    WORD(VERDICT_HOLDS, "holds")                                                                             \
    WORD(VERDICT_CONDITIONAL, "conditional") /* under a condition that the evidence shows */                 \
    WORD(VERDICT_DOES_NOT_HOLD, "does_not_hold")                                                             \
    WORD(VERDICT_INCONCLUSIVE, "inconclusive") /* a race that did not show */                                \
    WORD(VERDICT_SKIPPED, "skipped")           /* a facility or a privilege is missing */
enum check_verdict { VERDICT_WORDS(WORDS_ENUM) VERDICT_COUNT };

extern const char *const pattern_names[PATTERN_COUNT];
extern const char *const wait_names[WAIT_COUNT];
extern const char *const placement_names[PLACEMENT_COUNT];
extern const char *const relation_names[RELATION_COUNT];
extern const char *const verify_names[VERIFY_COUNT];
extern const char *const distance_names[DISTANCE_COUNT];
extern const char *const run_state_names[RUN_STATE_COUNT];
extern const char *const activity_state_names[ACTIVITY_STATE_COUNT];
extern const char *const verdict_names[VERDICT_COUNT];

#endif
