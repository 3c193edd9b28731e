#include "server/http_connection.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/clock.h"

enum {
    REAPER_PAUSE_MS = 250,    /* between two looks at all connections, at least */
    DESCRIPTORS_RESERVE = 96, /* for the archive, crews, timers */
};

/* At its limit libmicrohttpd stops accepting without a word, but running out of descriptors would be worse.
 */
unsigned http_connections_raise_limit(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted / 4;
    if (limit.rlim_cur < wanted + DESCRIPTORS_RESERVE) {
        limit.rlim_cur =
            limit.rlim_max < wanted + DESCRIPTORS_RESERVE ? limit.rlim_max : wanted + DESCRIPTORS_RESERVE;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted + DESCRIPTORS_RESERVE)
        return wanted;
    return limit.rlim_cur > 2 * DESCRIPTORS_RESERVE ? (unsigned)limit.rlim_cur - DESCRIPTORS_RESERVE
                                                    : DESCRIPTORS_RESERVE;
}

/* Cuts off whoever is late. shutdown rather than close: the descriptor is libmicrohttpd's, which finds the
 * connection dead and cleans up. */
static void reap(struct loop_timer *timer)
{
    struct http_connections *all = (struct http_connections *)timer;
    int64_t now_ns = clock_now_ns();
    int64_t nearest_ns = INT64_MAX;
    for (struct http_connection *one = all->first; one != NULL; one = one->next) {
        if (one->deadline_ns <= now_ns) {
            shutdown(one->fd, SHUT_RDWR);
            all->deadlines_missed++;
            one->deadline_ns = INT64_MAX;
        }
        if (one->deadline_ns < nearest_ns)
            nearest_ns = one->deadline_ns;
    }
    all->reaper_due_ns = nearest_ns;
    if (nearest_ns == INT64_MAX)
        return;
    int64_t pause_ns = nearest_ns - now_ns;
    loop_timer_arm(timer, pause_ns > REAPER_PAUSE_MS * NS_PER_MS ? pause_ns : REAPER_PAUSE_MS * NS_PER_MS);
}

int http_connections_init(struct http_connections *all, struct loop *loop, struct err *err)
{
    *all = (struct http_connections){.loop = loop, .reaper_due_ns = INT64_MAX};
    return loop_timer_open(loop, &all->reaper, reap, err);
}

void http_connections_fini(struct http_connections *all)
{
    loop_timer_close(all->loop, &all->reaper);
}

struct http_connection *http_connection_new(struct http_connections *all, int fd)
{
    struct http_connection *connection = malloc(sizeof *connection);
    if (connection == NULL)
        return NULL;
    *connection =
        (struct http_connection){.all = all, .fd = fd, .deadline_ns = INT64_MAX, .next = all->first};
    if (connection->next != NULL)
        connection->next->previous = connection;
    all->first = connection;
    all->count++;
    return connection;
}

void http_connection_free(struct http_connection *connection)
{
    if (connection == NULL)
        return;
    struct http_connections *all = connection->all;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        all->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    all->count--;
    free(connection);
}

void http_connection_set_deadline(struct http_connection *connection, int64_t after_ms)
{
    struct http_connections *all = connection->all;
    connection->deadline_ns = clock_now_ns() + after_ms * NS_PER_MS;
    if (connection->deadline_ns >= all->reaper_due_ns)
        return;
    all->reaper_due_ns = connection->deadline_ns;
    loop_timer_arm(&all->reaper, after_ms * NS_PER_MS);
}

void http_connection_clear_deadline(struct http_connection *connection)
{
    connection->deadline_ns = INT64_MAX;
}
