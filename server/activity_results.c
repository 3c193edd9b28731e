#include "server/activity_results.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "server/lab_catalogue.h"

/* ---- attempts ---- */

/* The parameters can be refused by the lab itself, when a bound concerns several of them. */
static void describe_refusal(const struct json_node *refusal, char cause[STORE_CAUSE_BYTES])
{
    const struct json_node *first = json_first(json_member(refusal, "errors"));
    snprintf(cause, STORE_CAUSE_BYTES, "%.90s: %.150s",
             json_string_or(json_member(first, "pointer"), "/parameters"),
             json_string_or(json_member(first, "detail"), "refused"));
}

static void write_result(struct json_writer *writer, const struct json_node *line)
{
    static const char *const names[] = {"evidence", "explanation", "claims", "skipped", "dropped_calls"};
    json_begin_object(writer, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_member(line, names[i]) != NULL)
            json_write_node(writer, names[i], json_member(line, names[i]));
    json_end_object(writer);
}

/* What the lab itself says goes before how its process ended. */
static void find_cause(struct attempt_result *result, const struct attempt_record *record, const char *cause)
{
    const struct json_node *failure = attempt_record_failure(record);
    if (attempt_record_refusal(record) != NULL)
        describe_refusal(attempt_record_refusal(record), result->cause);
    else if (failure != NULL)
        text_copy(result->cause, sizeof result->cause,
                  json_string_or(json_member(failure, "detail"), "it failed"));
    else if (cause[0] != '\0')
        text_copy(result->cause, sizeof result->cause, cause);
    else if (attempt_record_result(record) == NULL)
        text_copy(result->cause, sizeof result->cause, "it ended without a result");
}

void attempt_result_init(struct attempt_result *result, const struct json_node *lab,
                         const struct json_node *prediction, const struct attempt_record *record,
                         const char *cause)
{
    *result = (struct attempt_result){.cause = ""};
    find_cause(result, record, cause);
    const struct json_node *line = attempt_record_result(record);
    const struct json_node *outcome = json_member(line, "outcome");
    struct json_writer outcome_writer = json_writer_on(&result->outcome);
    json_write_node(&outcome_writer, NULL, outcome);
    struct json_writer result_writer = json_writer_on(&result->result);
    write_result(&result_writer, line);
    struct json_writer record_writer = json_writer_on(&result->record);
    json_begin_object(&record_writer, NULL);
    attempt_record_write(&record_writer, record);
    json_end_object(&record_writer);
    result->end = (struct store_attempt_end){
        .state = result->cause[0] == '\0' ? ACTIVITY_DONE : ACTIVITY_FAILED,
        .finished_ms = clock_wall_ms(),
        .agrees = lab_judge_answer(lab, json_member(prediction, "answer"), outcome),
        .cause = result->cause,
        .outcome = text_string(&result->outcome),
        .result = text_string(&result->result),
        .record = text_ok(&result->record) ? text_string(&result->record) : NULL,
    };
}

void attempt_result_fini(struct attempt_result *result)
{
    text_fini(&result->outcome);
    text_fini(&result->result);
    text_fini(&result->record);
}

/* ---- checks ---- */

static void write_check(struct json_writer *writer, const struct json_node *line)
{
    static const char *const names[] = {"evidence", "why", "repeats", "skipped"};
    json_begin_object(writer, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_member(line, names[i]) != NULL)
            json_write_node(writer, names[i], json_member(line, names[i]));
    json_end_object(writer);
}

void check_result_init(struct check_result *result, int claim, const struct json_node *line,
                       const char *cause)
{
    *result = (struct check_result){.cause = ""};
    int verdict =
        text_index_of(json_string_or(json_member(line, "verdict"), ""), verdict_names, VERDICT_COUNT);
    bool is_whole = verdict >= 0 && json_integer_or(json_member(line, "claim"), 0) == claim;
    if (cause[0] != '\0')
        text_copy(result->cause, sizeof result->cause, cause);
    else if (!is_whole)
        text_copy(result->cause, sizeof result->cause, "it ended without a verdict");
    bool done = result->cause[0] == '\0';
    struct json_writer writer = json_writer_on(&result->result);
    write_check(&writer, line);
    result->end = (struct store_check_end){
        .state = done ? ACTIVITY_DONE : ACTIVITY_FAILED,
        .finished_ms = clock_wall_ms(),
        .verdict = done ? verdict : -1,
        .cause = result->cause,
        .result = text_string(&result->result),
    };
}

void check_result_fini(struct check_result *result)
{
    text_fini(&result->result);
}
