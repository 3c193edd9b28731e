#include "tests/support/small_disk.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

bool small_disk_mount(const char *path, size_t bytes)
{
    char options[48];
    snprintf(options, sizeof options, "size=%zu,mode=0700", bytes);
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
