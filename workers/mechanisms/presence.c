#include "workers/mechanisms/presence.h"

static const char kind[] = "roster";

int presence_open(struct presence *presence, const struct channel *channel, struct err *err)
{
    return shared_file_create(&presence->file, channel, kind, sizeof(struct roster), err);
}

int presence_attach(struct presence *presence, const struct channel *channel, struct seat seat,
                    struct err *err)
{
    int result = shared_file_open(&presence->file, channel, kind, err);
    if (result == 0)
        result = ticker_start(err);
    if (result < 0)
        return result;
    presence->ticks = true;
    presence->seen = ticker_ticks;
    roster_sit(&presence->view, presence->file.memory, channel, seat);
    return 0;
}

void presence_detach(struct presence *presence)
{
    roster_leave(&presence->view);
    if (presence->ticks)
        ticker_stop();
    presence->ticks = false;
    shared_file_unmap(&presence->file);
}

void presence_close(struct presence *presence, const struct channel *channel)
{
    shared_file_remove(&presence->file, channel, kind);
}
