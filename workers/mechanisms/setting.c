#include "workers/mechanisms/setting.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/parse.h"

int64_t setting_read(const char *path, int64_t otherwise)
{
    char text[32];
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return otherwise;
    text[length] = '\0';
    int64_t value;
    const char *rest;
    return parse_integer(text, 10, 0, INT64_MAX, &value, &rest) == 0 ? value : otherwise;
}
