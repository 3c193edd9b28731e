#include "workers/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/text.h"
#include "workers/parse.h"

int usage_open_schedstat(void)
{
    return open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
}

static int64_t read_run_delay_ns(int schedstat)
{
    char line[96];
    ssize_t length = schedstat < 0 ? -1 : pread(schedstat, line, sizeof line - 1, 0);
    if (length <= 0)
        return 0;
    line[length] = '\0';
    int64_t running_ns, delay_ns;
    const char *rest;
    if (parse_integer(line, 10, 0, INT64_MAX, &running_ns, &rest) < 0 ||
        parse_integer(rest, 10, 0, INT64_MAX, &delay_ns, &rest) < 0)
        return 0;
    return delay_ns;
}

static int64_t ns_of(struct timeval time)
{
    return (int64_t)time.tv_sec * NS_PER_S + (int64_t)time.tv_usec * 1000;
}

struct usage usage_read(int schedstat)
{
    struct rusage rusage = {.ru_nvcsw = 0};
    getrusage(RUSAGE_SELF, &rusage);
    return (struct usage){
        .cpu_user_ns = ns_of(rusage.ru_utime),
        .cpu_system_ns = ns_of(rusage.ru_stime),
        .voluntary_switches = rusage.ru_nvcsw,
        .involuntary_switches = rusage.ru_nivcsw,
        .minor_faults = rusage.ru_minflt,
        .major_faults = rusage.ru_majflt,
        .run_delay_ns = read_run_delay_ns(schedstat),
    };
}

/* "cpuN user nice system idle iowait irq softirq steal …", in ticks. 0 for another line. */
static int64_t steal_ticks(const char *line, int *cpu)
{
    int64_t number, ticks = 0;
    const char *rest;
    if (strncmp(line, "cpu", 3) != 0 || parse_integer(line + 3, 10, 0, CPUS_MAX - 1, &number, &rest) < 0)
        return 0;
    *cpu = (int)number;
    for (int column = 0; column < 8; column++)
        if (parse_integer(rest, 10, 0, INT64_MAX, &ticks, &rest) < 0)
            return 0;
    return ticks;
}

static int64_t read_steal_ns(int cpu)
{
    AUTO_FCLOSE FILE *file = fopen("/proc/stat", "re");
    struct cpus asked = cpus_only(cpu >= 0 ? cpu : 0);
    char line[512];
    int64_t ticks = 0, count = 0;
    if (cpu < 0)
        cpus_read(&asked);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        int at = -1;
        int64_t stolen = steal_ticks(line, &at);
        if (!cpus_has(&asked, at))
            continue;
        ticks += stolen;
        count++;
    }
    return count > 0 ? ticks * (NS_PER_S / sysconf(_SC_CLK_TCK)) / count : 0;
}

static int64_t count_throttled(void)
{
    struct cgroup cgroup;
    return cgroup_find(&cgroup) ? cgroup_count_throttled(cgroup) : 0;
}

struct usage_cpu usage_read_cpu(int cpu)
{
    char path[96], line[32];
    int64_t khz = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", cpu);
    if (cpu < 0 || text_read_line(path, line, sizeof line) < 0 ||
        parse_integer(line, 10, 0, INT64_MAX / 1000, &khz, NULL) < 0)
        khz = 0;
    return (struct usage_cpu){
        .steal_ns = read_steal_ns(cpu), .throttled = count_throttled(), .frequency_hz = khz * 1000};
}

void usage_add(struct frame_result *result, const struct usage *before, const struct usage *after)
{
    result->cpu_user_ns += after->cpu_user_ns - before->cpu_user_ns;
    result->cpu_system_ns += after->cpu_system_ns - before->cpu_system_ns;
    result->voluntary_switches += after->voluntary_switches - before->voluntary_switches;
    result->involuntary_switches += after->involuntary_switches - before->involuntary_switches;
    result->minor_faults += after->minor_faults - before->minor_faults;
    result->major_faults += after->major_faults - before->major_faults;
    result->run_delay_ns += after->run_delay_ns - before->run_delay_ns;
    result->system_calls += after->system_calls - before->system_calls;
}
