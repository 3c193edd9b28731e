/* activity_slot: one attempt or one check from the start of its process until it is archived.
 *
 * What cannot be started has ended too, and is archived as failed: so every slot ends in the same way. Which
 * begin, and when, activities.c decides; it keeps the list. Owns the process and what that has said so far.
 * Its lines are published as they come, its state is not. Threads: the loop's. */
#ifndef IPCLAB_SERVER_ACTIVITY_SLOT_H
#define IPCLAB_SERVER_ACTIVITY_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"
#include "db/store_activities.h"
#include "server/activity.h"
#include "server/attempt_record.h"
#include "server/loop.h"

struct app;

/* For others to read, but for next, which is the list's. */
struct activity_slot {
    struct activity_slot *next;
    struct app *app;
    struct loop_timer *ended_timer;
    enum store_activity kind;
    int64_t id;
    int claim;                     /* of a check */
    bool is_alone;                 /* nothing begins beside it */
    char lab[STORE_LAB_BYTES];     /* of an attempt */
    struct json_node *prediction;  /* of an attempt */
    struct attempt_record *record; /* of an attempt, never NULL */
    struct json_node *check;       /* the line of a check, NULL until it came */
    struct activity *process;      /* NULL: it has ended */
    bool cancelled;
    char cause[ACTIVITY_CAUSE_BYTES];
};

/* ended_timer is armed when it has ended; borrowed. NULL: out of memory. */
struct activity_slot *activity_slot_new(struct app *app, enum store_activity kind, int64_t id,
                                        struct loop_timer *ended_timer);
/* Kills its process. */
void activity_slot_free(struct activity_slot *slot);
void activity_slot_start(struct activity_slot *slot, const struct worker_program *program);
/* At once, and the timer is not armed. */
void activity_slot_stop(struct activity_slot *slot, const char *cause);
/* Its end follows. Only while it goes on. */
void activity_slot_cancel(struct activity_slot *slot);
/* Only when it has ended; may be tried again. */
int activity_slot_archive(const struct activity_slot *slot, struct err *err);

#endif
