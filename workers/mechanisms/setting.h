/* setting: a number the kernel shows under /proc/sys. */
#ifndef IPCLAB_WORKERS_MECHANISMS_SETTING_H
#define IPCLAB_WORKERS_MECHANISMS_SETTING_H

#include <stdint.h>

/* `otherwise` where it cannot be read. */
int64_t setting_read(const char *path, int64_t otherwise);

#endif
