/* cgroup: the share of the CPUs that control groups leave the calling process, and how often they stopped it.
 *
 * A group's quota is CPU time for each period: in cpu.max (version 2), or in cpu.cfs_quota_us and
 * cpu.cfs_period_us (version 1). When all processes of the group have used it up together, all of them stand
 * still until the period ends, up to 100 ms later. A group above binds as well, so each is looked at from the
 * process's own up to the one that is mounted; what lies above that, in a container, nobody here can see.
 *
 * Sources: cgroups(7), cgroup_namespaces(7), proc_pid_mountinfo(5); in the kernel's documentation
 * admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst. */
#ifndef IPCLAB_COMMON_CGROUP_H
#define IPCLAB_COMMON_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CGROUP_PATH_BYTES = 1024 };

struct cgroup {
    char directory[CGROUP_PATH_BYTES];
    size_t mount_length; /* of the part of directory above which there is nothing to be seen */
};

struct cgroup_quota {
    int64_t quota_us, period_us; /* 0: no limit */
};

/* The calling process's group that has the CPU controller. False where none is to be seen. */
bool cgroup_find(struct cgroup *cgroup);
/* The same, told by files like /proc/self/cgroup and /proc/self/mountinfo. */
bool cgroup_find_by(struct cgroup *cgroup, const char *membership, const char *mounts);

/* The least CPU time for its period that the group and those above it allow. */
struct cgroup_quota cgroup_read_quota(struct cgroup cgroup);
/* The number of periods in which one of them had used up its quota, since each was made. */
int64_t cgroup_count_throttled(struct cgroup cgroup);

#endif
