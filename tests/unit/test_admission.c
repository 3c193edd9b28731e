#include "server/admission.h"
#include "tests/support/criterion.h"

/* Any moment but 0. */
#define NOW_NS (1000 * NS_PER_S)
#define A_TURN_AGO_NS (NOW_NS - ADMISSION_TURN_NS)

static bool has_room(struct admission admission, enum store_activity kind)
{
    return admission_has_room(&admission, kind, NOW_NS);
}

static bool is_turn(struct admission admission)
{
    return admission_is_turn(&admission, NOW_NS);
}

Test(admission, is_open_without_a_run)
{
    struct admission nothing = {.attempts = 0};
    cr_expect(is_turn(nothing));
    cr_expect(has_room(nothing, STORE_ATTEMPTS));
    cr_expect(has_room(nothing, STORE_CHECKS));
}

Test(admission, waits_for_the_end_of_a_trial)
{
    struct admission trial = {.is_measuring = true, .is_run_current = true};
    cr_expect(not(is_turn(trial)));
    trial.run_waits_since_ns = NOW_NS; /* however short */
    cr_expect(not(is_turn(trial)));
}

Test(admission, keeps_a_run_waiting_for_one_turn)
{
    struct admission between = {.is_run_current = true};
    cr_expect(is_turn(between));
    between.run_waits_since_ns = A_TURN_AGO_NS + 1;
    cr_expect(is_turn(between));
    between.run_waits_since_ns = A_TURN_AGO_NS;
    cr_expect(not(is_turn(between)));
}

Test(admission, keeps_nobody_waiting_for_a_run_that_is_over)
{
    cr_expect(is_turn((struct admission){.run_waits_since_ns = A_TURN_AGO_NS}));
}

Test(admission, bounds_the_attempts_at_a_time)
{
    struct admission attempts = {.attempts = ADMISSION_ATTEMPTS_MAX - 1};
    cr_expect(has_room(attempts, STORE_ATTEMPTS));
    attempts.attempts++;
    cr_expect(not(has_room(attempts, STORE_ATTEMPTS)));
    cr_expect(has_room(attempts, STORE_CHECKS));
}

Test(admission, takes_one_check_beside_attempts)
{
    struct admission check = {.attempts = 1, .checks = 1};
    cr_expect(not(has_room(check, STORE_CHECKS)));
    cr_expect(has_room(check, STORE_ATTEMPTS));
}

Test(admission, leaves_one_that_is_alone_alone)
{
    struct admission alone = {.checks = 1, .is_one_alone = true};
    cr_expect(not(has_room(alone, STORE_ATTEMPTS)));
    cr_expect(not(has_room(alone, STORE_CHECKS)));
}

Test(admission, lets_a_timed_check_begin_beside_nothing)
{
    struct admission timed = {.timed_waits_since_ns = NOW_NS};
    cr_expect(has_room(timed, STORE_CHECKS));
    timed.attempts = 1;
    cr_expect(not(has_room(timed, STORE_CHECKS)));
    timed = (struct admission){.timed_waits_since_ns = NOW_NS, .checks = 1};
    cr_expect(not(has_room(timed, STORE_CHECKS)));
}

Test(admission, holds_attempts_back_once_a_timed_check_has_waited)
{
    struct admission timed = {.attempts = 1, .timed_waits_since_ns = A_TURN_AGO_NS + 1};
    cr_expect(has_room(timed, STORE_ATTEMPTS));
    timed.timed_waits_since_ns = A_TURN_AGO_NS;
    cr_expect(not(has_room(timed, STORE_ATTEMPTS)));
    cr_expect(not(has_room(timed, STORE_CHECKS)));
    timed.attempts = 0;
    cr_expect(has_room(timed, STORE_CHECKS));
}
