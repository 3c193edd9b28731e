/* presence: whether anybody still sits at the other side, for mechanisms whose kernel object does not tell.
 *
 * A roster (workers/roster.h) in a small file of the crew's directory, mapped by everybody, and a ticker that
 * ends blocking calls now and then, so that they look at it. A message costs neither of them anything. */
#ifndef IPCLAB_WORKERS_MECHANISMS_PRESENCE_H
#define IPCLAB_WORKERS_MECHANISMS_PRESENCE_H

#include <signal.h>
#include <stdbool.h>

#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/shared_file.h"
#include "workers/roster.h"
#include "workers/ticker.h"

/* Part of a state, zeroed before open or attach like the whole. */
struct presence {
    struct shared_file file;
    struct roster_view view;
    sig_atomic_t seen; /* the tick at which it was last looked at */
    bool ticks;
};

int presence_open(struct presence *presence, const struct channel *channel, struct err *err); /* leader */
int presence_attach(struct presence *presence, const struct channel *channel, struct seat seat,
                    struct err *err);
void presence_detach(struct presence *presence);
void presence_close(struct presence *presence, const struct channel *channel); /* leader */

/* After a call that was interrupted, or would have blocked: true when the whole other side is gone, which is
 * looked up once a tick. */
static inline bool presence_is_lost(struct presence *presence)
{
    sig_atomic_t now = ticker_ticks;
    if (__builtin_expect(now == presence->seen, 1))
        return false;
    presence->seen = now;
    return roster_all_gone(&presence->view);
}

#endif
