/* small_disk: a file system of a few pages, seen by this process alone.
 *
 * Mounted in a mount namespace of the test's own process, so it goes with the process and nobody else sees
 * it. Needs root: a user namespace would need a single thread, and Criterion's test processes have more. */
#ifndef IPCLAB_TESTS_SUPPORT_SMALL_DISK_H
#define IPCLAB_TESTS_SUPPORT_SMALL_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* False where that is refused. */
bool small_disk_mount(const char *path, size_t bytes);
bool small_disk_resize(const char *path, size_t bytes);
bool small_disk_set_read_only(const char *path);

#endif
