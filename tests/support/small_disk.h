/* small_disk: a file system of a few pages, seen by this process alone.
 *
 * Mounted in a mount namespace of the test's own process (and a user namespace, unless it is root), so it
 * goes with the process and nobody else sees it. */
#ifndef IPCLAB_TESTS_SUPPORT_SMALL_DISK_H
#define IPCLAB_TESTS_SUPPORT_SMALL_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* False where the machine refuses namespaces. */
bool small_disk_mount(const char *path, size_t bytes);
bool small_disk_resize(const char *path, size_t bytes);
bool small_disk_set_read_only(const char *path);

#endif
