/* Shared memory without and with a lock: what the kernel does not do, and what the compiler does. */
#include <errno.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/claims/check.h"
#include "workers/claims/segment.h"
#include "workers/claims/subject.h"

/* ---- 3: does a loop see a store? ---- */

#if defined(__clang__)
#define UNOPTIMISED __attribute__((optnone, noinline))
#define OPTIMISED __attribute__((noinline))
#else
#define UNOPTIMISED __attribute__((optimize("O0"), noinline))
#define OPTIMISED __attribute__((optimize("O2"), noinline))
#endif

UNOPTIMISED static void wait_unoptimised(const char *shm)
{
    while (*shm != '*')
        ;
}

/* Nothing in the loop can change what it looks at, as far as C is concerned: so it is looked at once. */
OPTIMISED static void wait_optimised(const char *shm)
{
    while (*shm != '*')
        ;
}

OPTIMISED static void wait_volatile(const char *shm)
{
    while (*(const volatile char *)shm != '*')
        ;
}

enum { SPUN_NS = 60 * 1000 * 1000, START_NS = 2 * 1000 * 1000 };

/* Runs the loop in a process of its own and stores what it waits for once it is well under way; then it has
 * plenty of its own CPU time to notice. */
static bool loop_sees(void (*loop)(const char *), char *shm)
{
    struct subject *reader = subject_new();
    *shm = ' ';
    if (subject_fork(reader) == 0) {
        loop(shm);
        atomic_store(&reader->calling, 1); /* it has left the loop */
        _exit(0);
    }
    int64_t deadline_ns = clock_now_ns() + SUBJECT_PATIENCE_MS / 2 * NS_PER_MS;
    while (subject_cpu_ns(reader) < START_NS && atomic_load(&reader->calling) == 0 &&
           clock_now_ns() < deadline_ns)
        usleep(200);
    bool left_early = atomic_load(&reader->calling) != 0;
    *(volatile char *)shm = '*';
    int64_t used_ns = subject_cpu_ns(reader);
    while (subject_cpu_ns(reader) - used_ns < SPUN_NS && atomic_load(&reader->calling) == 0 &&
           clock_now_ns() < deadline_ns)
        usleep(200);
    bool saw = atomic_load(&reader->calling) != 0 && !left_early;
    subject_kill(reader);
    return saw;
}

static int check_visibility(struct check *check)
{
    char *shm;
    int id = segment_make(check, IPC_PRIVATE, 1, 0, &shm);
    if (id < 0)
        return id;
    bool unoptimised = loop_sees(wait_unoptimised, shm);
    bool optimised = loop_sees(check_is_sabotaged(check, "volatile") ? wait_volatile : wait_optimised, shm);
    bool as_volatile = loop_sees(wait_volatile, shm);
    check_boolean(check, "compiled_with_O0_sees_it", unoptimised);
    check_boolean(check, "compiled_with_O2_sees_it", optimised);
    check_boolean(check, "compiled_with_O2_volatile_sees_it", as_volatile);
    return check_conclude(check, unoptimised && as_volatile, !optimised);
}

const struct claim claim_3 = {
    .number = 3,
    .mechanism = "shm_sysv",
    .criteria = {"synchronises"},
    .source = "/* gcc -O2 loads it once and spins for ever */\n"
              "while (*shm != '*')\n"
              "    ;\n"
              "while (*(volatile char *)shm != '*')  /* loads it each time */\n"
              "    ;",
    .sabotages = {"volatile"},
    .run = check_visibility,
};

/* ---- 6: without system calls ---- */

enum { STORES = 1000000, PAGES = 64 };

/* Between two calls that mark the beginning and the end, and count its page faults; traced by its parent. */
_Noreturn static void store_traced(struct subject *subject, char *shm, bool calls, size_t page_bytes)
{
    struct rusage before, after;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(errno);
    raise(SIGSTOP);
    getrusage(RUSAGE_SELF, &before);
    for (size_t i = 0; i < STORES; i++) {
        ((volatile char *)shm)[i * page_bytes / 4 % (PAGES * page_bytes)] = 'x';
        if (calls && i % 1000 == 0)
            syscall(SYS_getppid);
    }
    getrusage(RUSAGE_SELF, &after);
    subject->values[0] = after.ru_minflt - before.ru_minflt;
    _exit(0);
}

/* System calls between the first two of getrusage; or -errno. */
static int64_t count_calls(struct subject *subject)
{
    int status;
    int64_t calls = 0, marks = 0;
    if (waitpid(subject->pid, &status, 0) < 0)
        return -errno;
    if (!WIFSTOPPED(status))
        return WIFEXITED(status) && WEXITSTATUS(status) != 0 ? -WEXITSTATUS(status) : -ECHILD;
    if (ptrace(PTRACE_SETOPTIONS, subject->pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0)
        return -errno;
    while (ptrace(PTRACE_SYSCALL, subject->pid, NULL, NULL) == 0 && waitpid(subject->pid, &status, 0) > 0 &&
           WIFSTOPPED(status)) {
        struct __ptrace_syscall_info info;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80))
            continue;
        if (ptrace(PTRACE_GET_SYSCALL_INFO, subject->pid, sizeof info, &info) < 0)
            return -errno;
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
            continue;
        if (info.entry.nr == SYS_getrusage)
            marks++;
        else if (marks == 1)
            calls++;
    }
    return marks == 2 ? calls : -EPROTO;
}

static int check_calls(struct check *check)
{
    char *shm;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    int id = segment_make(check, IPC_PRIVATE, PAGES * page_bytes, 0, &shm);
    if (id < 0)
        return id;
    struct subject *subject = subject_new();
    if (subject_fork(subject) == 0)
        store_traced(subject, shm, check_is_sabotaged(check, "call"), page_bytes);
    int64_t calls = count_calls(subject);
    if (calls < 0)
        return check_skip(check, "ptrace", (int)-calls, "refused");
    check_integer(check, "stores_count", STORES);
    check_integer(check, "system_calls_count", calls);
    check_integer(check, "pages_count", PAGES);
    check_integer(check, "page_faults_count", subject->values[0]);
    return check_conclude(check, calls == 0, subject->values[0] >= PAGES);
}

const struct claim claim_6 = {
    .number = 6,
    .mechanism = "shm_sysv",
    .source = "getrusage(RUSAGE_SELF, &before);\n"
              "for (i = 0; i < 1000000; i++)  /* under ptrace: no system call in here */\n"
              "    shm[i * 1024 % size] = 'x';\n"
              "getrusage(RUSAGE_SELF, &after); /* but a page fault for each of 64 pages */",
    .sabotages = {"call"},
    .run = check_calls,
};

/* ---- 8, 9: two that count ---- */

enum { COUNT_PLAIN = 200000, COUNT_SEMOP = 4000, RACES = 20, RECORD_WORDS = 8, LOOKS = 200000 };
/* Without the lock: longer than a process has a CPU to itself, so that one CPU is enough to lose some. */
enum { COUNT_UNLOCKED = 50 * COUNT_PLAIN };
enum lock { LOCK_NONE, LOCK_ATOMIC, LOCK_SEMAPHORE };

struct counter {
    struct gate gate;
    volatile int64_t plain;
    _Atomic int64_t atomic;
};

static void count(struct counter *counter, enum lock lock, int times, int semaphores)
{
    struct sembuf down = {.sem_op = -1, .sem_flg = SEM_UNDO}, up = {.sem_op = 1, .sem_flg = SEM_UNDO};
    for (int i = 0; i < times; i++) {
        if (lock == LOCK_ATOMIC) {
            atomic_fetch_add(&counter->atomic, 1);
            continue;
        }
        if (lock == LOCK_SEMAPHORE && semop(semaphores, &down, 1) != 0)
            _exit(1);
        int64_t value = counter->plain; /* what c++ is made of */
        counter->plain = value + 1;
        if (lock == LOCK_SEMAPHORE && semop(semaphores, &up, 1) != 0)
            _exit(1);
    }
}

/* How many increments of two processes got lost. */
static int64_t count_lost(char *shm, enum lock lock, int times, int semaphores)
{
    struct counter *counter = (struct counter *)shm;
    struct subject *processes[2];
    memset(counter, 0, sizeof *counter);
    for (int i = 0; i < 2; i++) {
        processes[i] = subject_new();
        if (subject_fork(processes[i]) == 0) {
            subject_pin(i);
            gate_pass(&counter->gate, 2);
            count(counter, lock, times, semaphores);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++)
        subject_wait(processes[i], SUBJECT_PATIENCE_MS);
    return 2 * (int64_t)times - counter->plain - atomic_load(&counter->atomic);
}

/* The last word lies in two cache lines, half in each. */
struct record {
    alignas(64) volatile uint64_t words[RECORD_WORDS];
    alignas(64) volatile uint64_t aligned;
    _Atomic int stop;
    alignas(64) struct __attribute__((packed)) {
        char gap[60];
        volatile uint64_t word;
    } straddling;
};

struct torn {
    int64_t records, aligned, straddling;
};

static bool is_torn(uint64_t word)
{
    return word >> 32 != (word & UINT32_MAX);
}

/* A record of eight equal words and two words of equal halves: how often, among LOOKS, they were not. */
static struct torn count_torn(char *shm)
{
    struct record *record = (struct record *)shm;
    struct subject *writer = subject_new();
    memset(record, 0, sizeof *record);
    if (subject_fork(writer) == 0) {
        subject_pin(1);
        atomic_store(&writer->calling, 1);
        for (uint64_t half = 0; atomic_load(&record->stop) == 0; half = (half + 1) & UINT32_MAX) {
            for (int i = 0; i < RECORD_WORDS; i++)
                record->words[i] = half;
            record->aligned = half << 32 | half;
            record->straddling.word = half << 32 | half;
        }
        _exit(0);
    }
    subject_pin(0);
    while (atomic_load(&writer->calling) == 0)
        usleep(100);
    struct torn torn = {.records = 0};
    for (int look = 0; look < LOOKS; look++) {
        uint64_t first = record->words[0], last = record->words[RECORD_WORDS - 1];
        torn.records += first != last;
        torn.aligned += is_torn(record->aligned);
        torn.straddling += is_torn(record->straddling.word);
    }
    atomic_store(&record->stop, 1);
    subject_wait(writer, SUBJECT_PATIENCE_MS);
    return torn;
}

static int check_lost(struct check *check)
{
    char *shm;
    int id = segment_make(check, IPC_PRIVATE, 4096, 0, &shm);
    if (id < 0)
        return id;
    enum lock lock = check_is_sabotaged(check, "lock") ? LOCK_ATOMIC : LOCK_NONE;
    int64_t lost = 0;
    for (check->repeats = 0; check->repeats < RACES && lost == 0; check->repeats++)
        lost = count_lost(shm, lock, COUNT_PLAIN, -1);
    struct torn torn = count_torn(shm);
    check_integer(check, "increments_of_each_count", COUNT_PLAIN);
    check_integer(check, "lost_increments_count", lost);
    check_integer(check, "records_of_64_bytes_looked_at_count", LOOKS);
    check_integer(check, "torn_records_count", torn.records);
    check_integer(check, "torn_aligned_words_count", torn.aligned);
    check_integer(check, "torn_words_across_cache_lines_count", torn.straddling);
    check_integer(check, "cpus_count", subject_cpu_count());
    return lost > 0 ? check_conclude(check, true, false) : check_leave_open(check, "inconclusive");
}

const struct claim claim_8 = {
    .number = 8,
    .mechanism = "shm_sysv",
    .criteria = {"synchronises"},
    .source = "for (i = 0; i < 200000; i++) /* in two processes */\n"
              "    (*shm)++;                /* load, add, store */\n"
              "lost = 400000 - *shm;",
    .sabotages = {"lock"},
    .run = check_lost,
};

static int check_semaphore(struct check *check)
{
    char *shm;
    struct err err;
    int id = segment_make(check, IPC_PRIVATE, 4096, 0, &shm);
    int semaphores = enclosure_semget(check->enclosure, 1, &err);
    if (id < 0 || semaphores < 0)
        return id < 0 ? id : check_skip(check, "semget", -semaphores, "refused");
    if (semctl(semaphores, 0, SETVAL, 1) != 0)
        return check_skip(check, "semctl", errno, "refused");
    bool sabotaged = check_is_sabotaged(check, "no_lock");
    int times = sabotaged ? COUNT_UNLOCKED : COUNT_SEMOP;
    int64_t lost = 0;
    for (check->repeats = 0; check->repeats < (sabotaged ? RACES : 1) && lost == 0; check->repeats++)
        lost = count_lost(shm, sabotaged ? LOCK_NONE : LOCK_SEMAPHORE, times, semaphores);
    int64_t began_ns = clock_now_ns();
    int64_t lost_atomic = count_lost(shm, LOCK_ATOMIC, COUNT_PLAIN, semaphores);
    int64_t took_ns = clock_now_ns() - began_ns;
    check_integer(check, "increments_under_semop_count", 2 * (int64_t)times);
    check_integer(check, "lost_under_semop_count", lost);
    check_integer(check, "atomic_increments_count", 2 * COUNT_PLAIN);
    check_integer(check, "lost_atomic_count", lost_atomic);
    check_integer(check, "atomic_increments_took_ns", took_ns);
    return check_conclude(check, lost == 0 && lost_atomic == 0, false);
}

const struct claim claim_9 = {
    .number = 9,
    .mechanism = "shm_sysv",
    .criteria = {"synchronises"},
    .source = "semop(id, &down, 1);\n"
              "(*shm)++;\n"
              "semop(id, &up, 1);\n"
              "/* or, without the kernel: */ atomic_fetch_add(shm, 1);",
    .sabotages = {"no_lock"},
    .run = check_semaphore,
};
