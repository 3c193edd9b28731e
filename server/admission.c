#include "server/admission.h"

bool admission_is_turn(const struct admission *admission, int64_t now_ns)
{
    if (admission->is_measuring)
        return false;
    return !admission->is_run_current || admission->run_waits_since_ns == 0 ||
           now_ns - admission->run_waits_since_ns < ADMISSION_TURN_NS;
}

static bool has_room_for_check(const struct admission *admission)
{
    bool is_timed_next = admission->timed_waits_since_ns != 0;
    return admission->checks == 0 && (!is_timed_next || admission->attempts == 0);
}

static bool has_room_for_attempt(const struct admission *admission, int64_t now_ns)
{
    bool is_timed_next = admission->timed_waits_since_ns != 0;
    return admission->attempts < ADMISSION_ATTEMPTS_MAX &&
           (!is_timed_next || now_ns - admission->timed_waits_since_ns < ADMISSION_TURN_NS);
}

bool admission_has_room(const struct admission *admission, enum store_activity kind, int64_t now_ns)
{
    if (admission->is_one_alone)
        return false;
    return kind == STORE_CHECKS ? has_room_for_check(admission) : has_room_for_attempt(admission, now_ns);
}
