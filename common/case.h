/* case: one combination inside a run, everything that has to be equal before two figures may be compared.
 *
 * A plain value: no pointers, compared field by field, written to JSON with the API's names. */
#ifndef IPCLAB_COMMON_CASE_H
#define IPCLAB_COMMON_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/json.h"
#include "common/words.h"

enum {
    MECHANISM_NAME_BYTES = 24,
    CREW_SIDE_MAX = 8,          /* senders, receivers */
    CASE_SHARED_BYTES_MIN = 16, /* with several of either a message has to name its sender */
    CASE_RATE_HZ_MIN = 1,
    CASE_RATE_HZ_MAX = 10000000,
};

struct ipc_case {
    char mechanism[MECHANISM_NAME_BYTES];
    enum pattern pattern;
    int64_t message_bytes; /* header included */
    enum wait wait;
    enum placement placement;
    enum relation relation;
    int senders;
    int receivers;
    int64_t buffer_bytes; /* asked for; 0 = the mechanism's own choice */
    double rate_hz;       /* paced only, else 0 */
};

/* Members only, into the object that is open. buffer_bytes and rate_hz are null when they are 0. */
void case_write(struct json_writer *writer, const struct ipc_case *one);
/* The same members back; adds faults for what is missing or wrong. */
void case_read(const struct json_node *object, struct ipc_case *one, struct faults *faults);
/* Has it several senders or receivers? */
static inline bool case_is_shared(const struct ipc_case *one)
{
    return one->senders > 1 || one->receivers > 1;
}
bool case_equal(const struct ipc_case *a, const struct ipc_case *b);

#endif
