/* watch: stays with a run on a server until the run is over, also while the server is away for a while.
 *
 * A run outlives its server: it is taken up again when the server comes back, and so is the waiting.
 * Threads: none. */
#ifndef IPCLAB_SERVER_COMMANDS_WATCH_H
#define IPCLAB_SERVER_COMMANDS_WATCH_H

#include <stdint.h>

#include "server/commands/client.h"

enum { WATCH_RECONNECT_S = 60, WATCH_RECONNECT_S_MAX = 86400 };

struct watched_run {
    int64_t id;
    char uid[32];    /* another archive has other runs by the same ids */
    int reconnect_s; /* how long to look for a server that is gone */
};

/* From here on whoever stops us by a signal is told that the run goes on. */
void watch_prepare(const struct watched_run *run);
/* Tells on standard error what there is to tell, and answers the command's exit status. client: free to be
 * used for the stream. */
int watch_run(const char *server, struct client *client, const struct watched_run *run);

#endif
