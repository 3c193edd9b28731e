#include "tests/perf/probe/raw.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/cpus.h"
#include "common/histogram.h"

int raw_pin(int cpu)
{
    return cpus_pin_to(cpu);
}

int raw_fork(int cpu)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0)
        return pid > 0 ? pid : -errno;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent || raw_pin(cpu) < 0)
        _exit(1);
    return 0;
}

void raw_reap(int pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int raw_time_round_trips(const struct raw_case *one, uint64_t batch, int (*step)(void *), void *context,
                         struct raw_figures *figures)
{
    static struct histogram histogram;
    histogram_clear(&histogram);
    int result = step(context); /* until the other process has begun */
    if (result < 0)
        return result;
    int64_t before = clock_now_ns();
    const int64_t begin = before + one->warmup_ns, end = begin + one->duration_ns;
    uint64_t count = 0;
    while (before < end) {
        for (uint64_t i = 0; i < batch; i++) {
            result = step(context);
            if (result < 0)
                return result;
        }
        int64_t now = clock_now_ns();
        if (before >= begin) {
            histogram_record(&histogram, (now - before) / (int64_t)batch);
            count += batch;
        }
        before = now;
    }
    figures->round_trip_p50_ns = histogram_quantile(&histogram, 0.5);
    figures->messages_per_s = (double)count * (double)NS_PER_S / (double)(before - begin);
    return 0;
}

int raw_time_stream(const struct raw_case *one, int (*step)(void *), void *context,
                    struct raw_figures *figures)
{
    const uint64_t clock_every = 1 + 65536 / one->bytes;
    int result = step(context); /* until the other process has begun */
    if (result < 0)
        return result;
    int64_t now = clock_now_ns(), begin = 0;
    const int64_t warm = now + one->warmup_ns;
    uint64_t count = 0;
    while (begin == 0 || now < begin + one->duration_ns) {
        for (uint64_t i = 0; i < clock_every; i++) {
            result = step(context);
            if (result < 0)
                return result;
        }
        now = clock_now_ns();
        if (begin > 0)
            count += clock_every;
        else if (now >= warm)
            begin = now;
    }
    figures->messages_per_s = (double)count * (double)NS_PER_S / (double)(now - begin);
    return 0;
}
