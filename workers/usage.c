#include "workers/usage.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
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
