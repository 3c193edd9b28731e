#include "tests/perf/probe/raw_loop.h"

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/histogram.h"

struct raw_side {
    alignas(128) _Atomic uint64_t flag;
    alignas(128) unsigned char payload[RAW_PAYLOAD_BYTES];
};

struct raw_memory {
    struct raw_side there, back;
};

static int pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

static inline void put(struct raw_side *side, const unsigned char *payload, uint64_t number)
{
    memcpy(side->payload, payload, RAW_PAYLOAD_BYTES);
    atomic_store_explicit(&side->flag, number, memory_order_release);
}

static inline void get(struct raw_side *side, unsigned char *payload, uint64_t number)
{
    while (atomic_load_explicit(&side->flag, memory_order_acquire) != number)
        ;
    memcpy(payload, side->payload, RAW_PAYLOAD_BYTES);
}

_Noreturn static void answer(struct raw_memory *memory, int cpu)
{
    unsigned char payload[RAW_PAYLOAD_BYTES];
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (pin(cpu) != 0)
        _exit(1);
    for (uint64_t number = 1;; number++) {
        get(&memory->there, payload, number);
        __asm__ volatile("" ::"r"(payload) : "memory");
        put(&memory->back, payload, number);
    }
}

static double ask(struct raw_memory *memory, int64_t duration_ns, int batch)
{
    static struct histogram histogram;
    unsigned char payload[RAW_PAYLOAD_BYTES] = {0};
    histogram_clear(&histogram);
    uint64_t number = 0;
    int64_t before = clock_now_ns();
    int64_t warm = before + duration_ns / 5, end = warm + duration_ns;
    while (before < end) {
        for (int i = 0; i < batch; i++) {
            put(&memory->there, payload, ++number);
            get(&memory->back, payload, number);
            __asm__ volatile("" ::"r"(payload) : "memory");
        }
        int64_t now = clock_now_ns();
        if (before > warm)
            histogram_record(&histogram, (now - before) / batch);
        before = now;
    }
    return histogram_quantile(&histogram, 0.5);
}

double raw_loop_p50_ns(int cpu_a, int cpu_b, int64_t duration_ns, int batch)
{
    struct raw_memory *memory =
        mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        answer(memory, cpu_b);
    double p50 = -1;
    if (pid > 0 && pin(cpu_a) == 0)
        p50 = ask(memory, duration_ns, batch);
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    munmap(memory, sizeof *memory);
    return p50;
}
