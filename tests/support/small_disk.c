#include "tests/support/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/cleanup.h"

static bool write_line(const char *path, const char *line)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line);
}

static bool become_root_of_a_namespace(void)
{
    char uid_map[64], gid_map[64];
    snprintf(uid_map, sizeof uid_map, "0 %ld 1\n", (long)getuid());
    snprintf(gid_map, sizeof gid_map, "0 %ld 1\n", (long)getgid());
    return unshare(CLONE_NEWUSER) == 0 && write_line("/proc/self/setgroups", "deny") &&
           write_line("/proc/self/uid_map", uid_map) && write_line("/proc/self/gid_map", gid_map);
}

bool small_disk_mount(const char *path, size_t bytes)
{
    char options[48];
    snprintf(options, sizeof options, "size=%zu,mode=0700", bytes);
    if (geteuid() != 0 && !become_root_of_a_namespace())
        return false;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    return mount("ipclab-test", path, "tmpfs", 0, options) == 0;
}

bool small_disk_resize(const char *path, size_t bytes)
{
    char options[48];
    snprintf(options, sizeof options, "size=%zu", bytes);
    return mount(NULL, path, NULL, MS_REMOUNT, options) == 0;
}

bool small_disk_set_read_only(const char *path)
{
    return mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0;
}
