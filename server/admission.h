/* admission: may a lab or the check of a claim begin now, beside what is going on? Pure: the caller looks
 * around and says what time it is.
 *
 * Nothing begins beside a timed trial. Between two trials labs and claims have their turn, which ends when
 * the run has waited for ADMISSION_TURN_NS. Several attempts go on at a time, and one check beside them; but
 * a check of a claim about speed begins when nothing else goes on, and nothing begins beside it. When it has
 * waited for ADMISSION_TURN_NS, no more attempts begin before it. */
#ifndef IPCLAB_SERVER_ADMISSION_H
#define IPCLAB_SERVER_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "db/store_activities.h"

enum { ADMISSION_ATTEMPTS_MAX = 4 }; /* at once, of at most 16 processes each */

#define ADMISSION_TURN_NS (20 * NS_PER_S)

/* What stands in the way. */
struct admission {
    bool is_measuring;       /* a trial is being taken */
    bool is_run_current;     /* a run is being taken, maybe between two trials */
    size_t attempts, checks; /* that go on */
    bool is_one_alone;       /* one of them has the machine to itself */
    /* 0 = it does not wait */
    int64_t run_waits_since_ns;
    int64_t timed_waits_since_ns; /* the next check, if it is of a claim about speed */
};

/* Is it the turn of labs and claims? */
bool admission_is_turn(const struct admission *admission, int64_t now_ns);
/* Is there room for one more beside the others? */
bool admission_has_room(const struct admission *admission, enum store_activity kind, int64_t now_ns);

#endif
