/* Which control group a process is in, what it and those above it allow, and how often they stopped it: read
 * from directories laid out as the kernel does it, and from the kernel's own. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cgroup.h"
#include "common/cleanup.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

static void put(struct scratch *scratch, const char *name, const char *text)
{
    scratch_write(scratch_file(scratch, name), text, strlen(text));
}

static void put_directory(struct scratch *scratch, const char *name)
{
    cr_assert(eq(int, mkdir(scratch_file(scratch, name), 0700), 0));
}

/* Mounted at its directory "mount". */
static void put_mount(struct scratch *scratch, const char *root, const char *type, const char *options)
{
    char line[512];
    snprintf(line, sizeof line,
             "23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
             "31 23 0:28 %s %s/mount rw,nosuid - %s none rw,%s\n",
             root, scratch->path, type, options);
    put(scratch, "mounts", line);
}

static bool find(struct scratch *scratch, struct cgroup *cgroup)
{
    char membership[SCRATCH_FILE_BYTES], mounts[SCRATCH_FILE_BYTES];
    snprintf(membership, sizeof membership, "%s", scratch_file(scratch, "membership"));
    snprintf(mounts, sizeof mounts, "%s", scratch_file(scratch, "mounts"));
    return cgroup_find_by(cgroup, membership, mounts);
}

static void expect_quota(const struct cgroup *cgroup, int64_t quota_us, int64_t period_us)
{
    struct cgroup_quota quota = cgroup_read_quota(*cgroup);
    cr_expect(eq(i64, quota.quota_us, quota_us));
    cr_expect(eq(i64, quota.period_us, period_us));
}

Test(cgroup, is_bound_by_those_above_it)
{
    AUTO(scratch_fini) struct scratch scratch;
    struct cgroup cgroup;
    scratch_init(&scratch);
    put(&scratch, "membership", "0::/outer/inner\n");
    put_mount(&scratch, "/", "cgroup2", "nsdelegate");
    put_directory(&scratch, "mount");
    put_directory(&scratch, "mount/outer");
    put_directory(&scratch, "mount/outer/inner");
    put(&scratch, "cpu.max", "1 100000\n"); /* beside the mount: nobody's */
    cr_assert(find(&scratch, &cgroup));
    expect_quota(&cgroup, 0, 0);
    put(&scratch, "mount/outer/inner/cpu.max", "max 100000\n");
    expect_quota(&cgroup, 0, 0);
    put(&scratch, "mount/outer/cpu.max", "150000 100000\n");
    expect_quota(&cgroup, 150000, 100000);
    put(&scratch, "mount/outer/inner/cpu.max", "200000 100000\n");
    expect_quota(&cgroup, 150000, 100000);
    put(&scratch, "mount/outer/inner/cpu.max", "20000 50000\n");
    expect_quota(&cgroup, 20000, 50000);
    cr_expect(zero(i64, cgroup_count_throttled(cgroup)));
    put(&scratch, "mount/outer/inner/cpu.stat",
        "usage_usec 9\nnr_periods 7\nnr_throttled 3\nthrottled_usec 8\n");
    put(&scratch, "mount/outer/cpu.stat", "usage_usec 99\nnr_periods 7\nnr_throttled 4\nthrottled_usec 8\n");
    cr_expect(eq(i64, cgroup_count_throttled(cgroup), 7));
}

Test(cgroup, of_version_1_is_the_one_with_the_controller)
{
    AUTO(scratch_fini) struct scratch scratch;
    struct cgroup cgroup;
    scratch_init(&scratch);
    put(&scratch, "membership", "3:cpuset:/elsewhere\n2:cpu,cpuacct:/build\n0::/other\n");
    put_directory(&scratch, "mount");
    put_directory(&scratch, "mount/build");
    put_mount(&scratch, "/", "cgroup", "cpuacct");
    cr_expect(not(find(&scratch, &cgroup)));
    put_mount(&scratch, "/", "cgroup", "cpu,cpuacct");
    cr_assert(find(&scratch, &cgroup));
    put(&scratch, "mount/build/cpu.cfs_period_us", "100000\n");
    put(&scratch, "mount/build/cpu.cfs_quota_us", "-1\n");
    expect_quota(&cgroup, 0, 0);
    put(&scratch, "mount/build/cpu.cfs_quota_us", "50000\n");
    expect_quota(&cgroup, 50000, 100000);
    put(&scratch, "mount/build/cpu.stat", "nr_periods 7\nnr_throttled 5\nthrottled_time 12\n");
    cr_expect(eq(i64, cgroup_count_throttled(cgroup), 5));
}

Test(cgroup, of_a_container_is_where_its_mount_begins)
{
    AUTO(scratch_fini) struct scratch scratch;
    struct cgroup cgroup;
    scratch_init(&scratch);
    put_directory(&scratch, "mount");
    put(&scratch, "mount/cpu.max", "50000 100000\n");
    put_mount(&scratch, "/docker/1234", "cgroup2", "nsdelegate");
    put(&scratch, "membership", "0::/docker/1234\n");
    cr_assert(find(&scratch, &cgroup));
    expect_quota(&cgroup, 50000, 100000);
    put(&scratch, "membership", "0::/docker/12345\n");
    cr_expect(not(find(&scratch, &cgroup)), "another container's");
    put_mount(&scratch, "/", "cgroup2", "nsdelegate");
    put(&scratch, "membership", "0::/\n");
    cr_assert(find(&scratch, &cgroup));
    expect_quota(&cgroup, 50000, 100000);
    put(&scratch, "membership", "0::/../outside\n");
    cr_expect(not(find(&scratch, &cgroup)), "outside what is mounted");
}

Test(cgroup, of_this_process_allows_it_some_time)
{
    struct cgroup cgroup;
    if (!cgroup_find(&cgroup))
        return; /* a container may show none */
    struct stat status;
    cr_expect(eq(int, stat(cgroup.directory, &status), 0), "%s", cgroup.directory);
    struct cgroup_quota quota = cgroup_read_quota(cgroup);
    cr_expect(ge(i64, quota.quota_us, 0));
    cr_expect(ge(i64, cgroup_count_throttled(cgroup), 0));
}
