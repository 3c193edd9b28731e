#include "server/activity_slot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "server/activity_results.h"
#include "server/app.h"
#include "server/events.h"

/* A lab ends itself in time, a claim within CHECK_MS; this is for one that hangs. */
enum { DEADLINE_MARGIN_MS = 3000, CHECK_MS = 10000 };

struct activity_slot *activity_slot_new(struct app *app, enum store_activity kind, int64_t id,
                                        struct loop_timer *ended_timer)
{
    struct activity_slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL)
        return NULL;
    *slot = (struct activity_slot){.app = app, .ended_timer = ended_timer, .kind = kind, .id = id};
    if (kind == STORE_ATTEMPTS)
        slot->record = attempt_record_new();
    if (kind == STORE_ATTEMPTS && slot->record == NULL) {
        free(slot);
        return NULL;
    }
    return slot;
}

void activity_slot_free(struct activity_slot *slot)
{
    if (slot == NULL)
        return;
    activity_free(slot->process);
    attempt_record_free(slot->record);
    json_free(slot->prediction);
    json_free(slot->check);
    free(slot);
}

/* ---- how they end ---- */

static int archive_attempt(const struct activity_slot *slot, struct err *err)
{
    const struct app *app = slot->app;
    struct attempt_result result;
    attempt_result_init(&result, lab_catalogue_find_lab(&app->labs, slot->lab), slot->prediction,
                        slot->record, slot->cause);
    if (slot->cancelled)
        result.end.state = ACTIVITY_CANCELLED;
    int status = store_attempt_end(app->store, slot->id, &result.end, err);
    attempt_result_fini(&result);
    return status;
}

static int archive_check(const struct activity_slot *slot, struct err *err)
{
    struct check_result result;
    check_result_init(&result, slot->claim, slot->check, slot->cause);
    if (slot->cancelled) {
        result.end.state = ACTIVITY_CANCELLED;
        result.end.verdict = -1;
    }
    int status = store_check_end(slot->app->store, slot->id, &result.end, err);
    check_result_fini(&result);
    return status;
}

int activity_slot_archive(const struct activity_slot *slot, struct err *err)
{
    return slot->kind == STORE_ATTEMPTS ? archive_attempt(slot, err) : archive_check(slot, err);
}

void activity_slot_stop(struct activity_slot *slot, const char *cause)
{
    activity_free(slot->process);
    slot->process = NULL;
    text_copy(slot->cause, sizeof slot->cause, cause);
}

void activity_slot_cancel(struct activity_slot *slot)
{
    slot->cancelled = true;
    activity_kill(slot->process, "it was cancelled");
}

/* ---- what they say ---- */

static void attempt_said(void *context, const char *line, size_t length)
{
    struct activity_slot *slot = context;
    struct err err;
    int kept = attempt_record_take(slot->record, line, length, &err);
    if (kept < 0)
        activity_kill(slot->process, err.text);
    else if (kept > 0)
        events_publish(slot->app->events, "line", (struct events_topic){SUBJECT_ATTEMPT, slot->id}, false,
                       line);
}

static void check_said(void *context, const char *line, size_t length)
{
    struct activity_slot *slot = context;
    struct err err;
    if (slot->check != NULL)
        return;
    slot->check = json_parse(line, length, &err);
    if (slot->check == NULL)
        activity_kill(slot->process, "it said what is no JSON");
}

static void process_ended(void *context, const char *cause, uint64_t cut_lines)
{
    struct activity_slot *slot = context;
    slot->process = NULL;
    text_copy(slot->cause, sizeof slot->cause, cause);
    if (slot->record != NULL)
        attempt_record_note_cut(slot->record, cut_lines);
    loop_timer_arm(slot->ended_timer, 0);
}

/* ---- how they start ---- */

static int start_process(struct activity_slot *slot, const struct worker_program *program, char *name,
                         const char *request, int64_t deadline_ms, struct err *err)
{
    char lab[] = "lab", claim[] = "claim";
    char *arguments[] = {slot->kind == STORE_ATTEMPTS ? lab : claim, name, NULL};
    const struct activity_client client = {.context = slot,
                                           .line = slot->kind == STORE_ATTEMPTS ? attempt_said : check_said,
                                           .ended = process_ended};
    return activity_start(slot->app->loop, program, arguments, request, deadline_ms + DEADLINE_MARGIN_MS,
                          &client, &slot->process, err);
}

static int start_attempt(struct activity_slot *slot, const struct worker_program *program,
                         const struct store_attempt *attempt, struct err *err)
{
    struct err ignored;
    const struct json_node *lab = lab_catalogue_find_lab(&slot->app->labs, attempt->lab);
    text_copy(slot->lab, sizeof slot->lab, attempt->lab);
    slot->prediction = json_parse(attempt->prediction, strlen(attempt->prediction), &ignored);
    if (slot->prediction == NULL)
        return err_set(err, ENOMEM, "out of memory for an attempt");
    if (lab == NULL)
        return err_set(err, ENOENT, "the lab is not offered any more");
    AUTO(text_fini) struct text request = TEXT_EMPTY;
    text_printf(&request, "{\"attempt\":%lld,\"parameters\":%s}", (long long)attempt->id,
                attempt->parameters);
    return start_process(slot, program, slot->lab, text_string(&request), lab_duration_ms_max(lab), err);
}

static int start_check(struct activity_slot *slot, const struct worker_program *program,
                       const struct store_check *check, struct err *err)
{
    char number[16], request[40];
    const struct json_node *claim = lab_catalogue_find_claim(&slot->app->labs, check->claim);
    slot->claim = check->claim;
    slot->is_alone = claim_is_timed(claim);
    if (claim == NULL)
        return err_set(err, ENOENT, "the claim is not made any more");
    snprintf(number, sizeof number, "%d", check->claim);
    snprintf(request, sizeof request, "{\"check\":%lld}", (long long)check->id);
    return start_process(slot, program, number, request, CHECK_MS, err);
}

void activity_slot_start(struct activity_slot *slot, const struct worker_program *program)
{
    struct err err;
    struct store *store = slot->app->store;
    AUTO(store_attempt_fini) struct store_attempt attempt = {.id = 0};
    AUTO(store_check_fini) struct store_check check = {.id = 0};
    int result;
    if (slot->kind == STORE_ATTEMPTS) {
        result = store_attempt_get(store, slot->id, &attempt, &err);
        if (result == 0)
            result = start_attempt(slot, program, &attempt, &err);
    } else {
        result = store_check_get(store, slot->id, &check, &err);
        if (result == 0)
            result = start_check(slot, program, &check, &err);
    }
    if (result == 0)
        return;
    log_write(LOG_ERROR, "could not start an attempt or a check", "%s", err.text);
    text_copy(slot->cause, sizeof slot->cause, err.text);
    loop_timer_arm(slot->ended_timer, 0);
}
