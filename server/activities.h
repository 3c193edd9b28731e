/* activities: has attempts at labs and checks of claims made, and archives them. The only writer of their
 * state.
 *
 * They wait in the archive, so that a queue outlives the server; what was running when it died has failed,
 * and says so. What may begin beside what, admission.h says: nothing is done beside a timed trial. What is
 * asked for while one is taken begins when it has ended, and the runner asks before it begins the next.
 *
 * Published are "attempt" and "check" on every change of state, and "line" for each line of a lab as it
 * comes. Owns the processes and what they have said so far. Threads: the loop's. */
#ifndef IPCLAB_SERVER_ACTIVITIES_H
#define IPCLAB_SERVER_ACTIVITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "db/store_activities.h"
#include "server/worker_program.h"

struct activities;
struct app;
struct attempt_record;

enum { ACTIVITIES_QUEUE_MAX = 200 };

/* program: borrowed. */
int activities_new(struct app *app, const struct worker_program *program, struct activities **activities,
                   struct err *err);
/* Kills what is left, without archiving. */
void activities_free(struct activities *activities);
/* For SIGTERM: what is going on fails, saying why; what is queued stays queued. */
void activities_stop(struct activities *activities);

/* Queues an attempt and sets its id. -EAGAIN: the queue is full. */
int activities_add_attempt(struct activities *activities, struct store_attempt *attempt, struct err *err);
/* Queues a check of each claim; ids gets theirs, or those of checks that are queued already. */
int activities_add_checks(struct activities *activities, const int *claims, size_t count, int64_t *ids,
                          struct err *err);
/* -ESTALE: it has ended already. */
int activities_cancel(struct activities *activities, enum store_activity kind, int64_t id, struct err *err);
/* A line of input for an attempt that is going on. -ESTALE: it is not. -EAGAIN: it has not read what it got.
 */
int activities_send_input(struct activities *activities, int64_t id, const char *line, struct err *err);

/* What an attempt that is going on has said so far, else NULL. */
const struct attempt_record *activities_record_of(const struct activities *activities, int64_t id);
/* What a queued attempt or check waits for: "run 17", "others", or NULL when its turn has come. */
enum { ACTIVITIES_WAITING_BYTES = 24 };
const char *activities_waiting_for(const struct activities *activities, enum store_activity kind,
                                   char waiting[ACTIVITIES_WAITING_BYTES]);

/* The runner asks between two trials. True: the turn is theirs, and runner_go_on comes when they are done. */
bool activities_take_turn(struct activities *activities);
/* A trial, or a run, is over: goes on with what waited for it. */
void activities_go_on(struct activities *activities);

#endif
