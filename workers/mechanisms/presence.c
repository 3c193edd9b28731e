#include "workers/mechanisms/presence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { PATH_BYTES = CHANNEL_ADDRESS_BYTES + 32 };

static void path_of(const struct channel *channel, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/roster.%d", channel->directory, channel->number);
}

static int map(struct presence *presence, int fd, struct err *err)
{
    void *memory =
        mmap(NULL, sizeof(struct roster), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory == MAP_FAILED)
        return err_errno(err, errno, "map the roster");
    presence->roster = memory;
    return 0;
}

int presence_open(struct presence *presence, const struct channel *channel, struct err *err)
{
    char path[PATH_BYTES];
    path_of(channel, path);
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "open %s", path);
    int failed = posix_fallocate(fd, 0, sizeof(struct roster));
    return failed != 0 ? err_errno(err, failed, "allocate %s", path) : map(presence, fd, err);
}

int presence_attach(struct presence *presence, const struct channel *channel, struct seat seat,
                    struct err *err)
{
    if (presence->roster == NULL) {
        char path[PATH_BYTES];
        path_of(channel, path);
        AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
        int result = fd < 0 ? err_errno(err, errno, "open %s", path) : map(presence, fd, err);
        if (result < 0)
            return result;
    }
    int result = ticker_start(err);
    if (result < 0)
        return result;
    presence->ticks = true;
    presence->seen = ticker_ticks;
    roster_sit(&presence->view, presence->roster, channel, seat);
    return 0;
}

static void unmap(struct presence *presence)
{
    if (presence->roster != NULL)
        munmap(presence->roster, sizeof *presence->roster);
    presence->roster = NULL;
}

void presence_detach(struct presence *presence)
{
    roster_leave(&presence->view);
    if (presence->ticks)
        ticker_stop();
    presence->ticks = false;
    unmap(presence);
}

void presence_close(struct presence *presence, const struct channel *channel)
{
    char path[PATH_BYTES];
    path_of(channel, path);
    unlink(path);
    unmap(presence);
}
