#include "tests/support/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"

int file_read(struct text *text, const char *path, size_t bytes_max)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t before = text->length;
    for (;;) {
        char chunk[4096];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return text_ok(text) ? 0 : -ENOMEM;
        if (text->length - before + (size_t)got > bytes_max)
            return -EFBIG;
        text_append_bytes(text, chunk, (size_t)got);
    }
}
