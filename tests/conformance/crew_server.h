/* crew_server: the test as the server of one crew.
 *
 * A real SEQPACKET listener in a scratch directory, the real build/ipclab-worker started as the server starts
 * it, caged or not, and every frame through frame_decode. All waits are bounded. */
#ifndef IPCLAB_TESTS_CONFORMANCE_CREW_SERVER_H
#define IPCLAB_TESTS_CONFORMANCE_CREW_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/frame.h"
#include "common/trial_spec.h"
#include "tests/support/scratch.h"

enum {
    CREW_WORKERS_MAX = 2 * CREW_SIDE_MAX,
    CREW_CONNECTIONS_MAX = CREW_WORKERS_MAX + 4,
    CREW_EXITS_MAX = 4
};

struct crew_connection {
    int fd;
    bool said_hello;
    int worker;
    pid_t pid; /* SO_PEERCRED: as this process sees it */
    struct text parts;
};

struct crew_server {
    struct scratch scratch;
    struct trial_spec spec;
    int listener;
    pid_t leader;
    int leader_pidfd;
    struct crew_connection connections[CREW_CONNECTIONS_MAX];
    size_t connection_count;
    int ready_count;
    int64_t ready_buffer_bytes[CREW_WORKERS_MAX];
    bool holds_go; /* never send it */
    bool went;
    bool said_bye;
    int sample_count;
    struct frame_exit exits[CREW_EXITS_MAX];
    int exit_count;
    bool has_result[CREW_WORKERS_MAX];
    struct frame_result results[CREW_WORKERS_MAX];
    pid_t pids[CREW_WORKERS_MAX];
};

/* Can crews be caged here? */
bool crew_server_can_cage(void);

/* A server and a spec with sensible values: pipe round trip of 64 bytes, 60 ms. Change server->spec, then
 * start. The memory is the caller's. */
void crew_server_open(struct crew_server *server);
/* How many workers the spec asks for. */
int crew_server_workers(const struct crew_server *server);
/* document NULL: the spec. */
void crew_server_start(struct crew_server *server, const char *document);

/* Serves until the condition holds, at most for timeout_ns; false if it never did. */
typedef bool crew_condition(const struct crew_server *server);
bool crew_server_serve(struct crew_server *server, crew_condition *condition, int64_t timeout_ns);
bool crew_server_all_ready(const struct crew_server *server);
bool crew_server_has_gone(const struct crew_server *server);
bool crew_server_leader_ended(const struct crew_server *server);

/* Serves until the leader ended; its exit status, 128 + n for a signal, -1 when it had to be killed. */
int crew_server_finish(struct crew_server *server);
/* Waits until these processes are gone; false if one is still there. */
bool crew_server_workers_ended(const struct crew_server *server, int64_t timeout_ns);
/* Runs `ipclab-worker sweep` on the crew's directory; its exit status. */
int crew_server_sweep(struct crew_server *server);
/* Entries of the crew's directory; -1 if there is none. */
int crew_server_count_files(const struct crew_server *server);
/* System V segments a process created, as far as this namespace sees. */
int crew_server_count_segments(pid_t creator);
/* A segment that was removed stays until the last process that has it attached is gone, and a worker that was
 * killed before it said who it is cannot be waited for. */
bool crew_server_segments_gone(pid_t creator, int64_t timeout_ns);
/* Hangs up on everybody. */
void crew_server_hang_up(struct crew_server *server);
void crew_server_close(struct crew_server *server);

#endif
