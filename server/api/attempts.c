/* attempts: what people try in a lab: asking for one, a class's list, and one attempt with all that was seen.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/ulid.h"
#include "server/activities.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/attempt_csv.h"
#include "server/attempt_json.h"
#include "server/attempt_record.h"
#include "server/messages.h"
#include "server/problem.h"
#include "server/trace.h"

enum {
    ATTEMPTS_LIMIT = 50,
    CSV_ROWS_MAX = 20000,
    ANSWERS_MAX = 200,
    PERSON_BYTES_MAX = 120, /* student and group */
    REASON_BYTES_MAX = 2000,
    TERMINAL_BYTES_MAX = 15,
    INPUT_BYTES_MAX = 1000,
    TRACE_ON_LOOP_BYTES_MAX = 256 * 1024, /* of a record: some milliseconds */
};

/* ---- a list ---- */

static int write_attempt(void *context, const struct store_attempt *attempt)
{
    struct api_page *page = context;
    if (api_page_takes(page, attempt->id))
        attempt_json_write(&page->writer, page->app, page->language, attempt, NULL);
    return 0;
}

static int append_row(void *context, const struct store_attempt *attempt)
{
    attempt_csv_append(context, attempt);
    return 0;
}

static void answer_csv(struct app *app, struct store_attempt_query *query, struct answer *answer)
{
    struct err err;
    struct attempt_csv csv = {.out = TEXT_EMPTY};
    query->limit = CSV_ROWS_MAX;
    int status = store_attempt_each(app->store, query, append_row, &csv, &err);
    if (status < 0) {
        text_fini(&csv.out);
        problem_answer_err(answer, status, &err);
        return;
    }
    attempt_csv_finish(&csv);
    answer_set_status(answer, 200);
    answer->content_type = "text/csv; charset=utf-8";
    answer->body = csv.out;
    answer_add_header(answer, "Content-Disposition", "attachment; filename=\"%s.csv\"", query->lab);
}

static void answer_page(struct app *app, const struct request *request, struct store_attempt_query *query,
                        struct answer *answer)
{
    struct api_page page = {.limit = query->limit};
    struct err err;
    api_page_begin(&page, app, request, "attempts", answer);
    query->limit++; /* one more tells whether there is a next page */
    int status = store_attempt_each(app->store, query, write_attempt, &page, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    api_page_end(&page);
}

/* "" means everybody. */
static const char *read_person(const struct request *request, const char *name)
{
    const char *value = request_parameter(request, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

void api_list_attempts(struct app *app, const struct request *request, struct answer *answer)
{
    static const char *const formats[] = {"json", "csv"};
    int format = 0;
    struct faults faults = {.count = 0};
    struct store_attempt_query query = {.lab = request->name,
                                        .class = read_person(request, "group"),
                                        .student = read_person(request, "student"),
                                        .limit = ATTEMPTS_LIMIT};
    request_read_word(request, "format", formats, 2, &format, &faults);
    request_read_integer(request, "limit", 1, STORE_LIST_MAX, &query.limit, &faults);
    request_read_integer(request, "cursor", 1, JSON_INTEGER_MAX, &query.before_id, &faults);
    request_read_integer(request, "like", 1, JSON_INTEGER_MAX, &query.like_id, &faults);
    bool is_child = app->loop == NULL; /* it has no labs to look at; the parent has looked */
    if (faults.count > 0)
        problem_answer_faults(answer, &faults);
    else if (!is_child && api_find_lab(app, request, answer) == NULL)
        return;
    else if (format == 0)
        answer_page(app, request, &query, answer);
    else if (!api_answer_in_child(app, answer))
        answer_csv(app, &query, answer);
}

/* ---- what a class predicted ---- */

static int write_answer(void *context, const char *answer, int64_t count)
{
    struct json_writer *writer = context;
    json_begin_object(writer, NULL);
    json_write_raw(writer, "answer", answer);
    json_write_integer(writer, "count", count);
    json_end_object(writer);
    return 0;
}

void api_get_predictions(struct app *app, const struct request *request, struct answer *answer)
{
    static const struct {
        const char *name;
        enum store_answer_kind kind;
    } lists[] = {{"predicted", STORE_ANSWERS_PREDICTED}, {"observed", STORE_ANSWERS_OBSERVED}};
    struct err err;
    struct faults faults = {.count = 0};
    struct store_attempt_query query = {
        .lab = request->name, .class = read_person(request, "group"), .limit = ANSWERS_MAX};
    request_read_integer(request, "like", 1, JSON_INTEGER_MAX, &query.like_id, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    if (api_find_lab(app, request, answer) == NULL)
        return;
    answer_begin_json(answer, 200);
    struct json_writer writer = json_writer_on(&answer->body);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "lab", request->name);
    json_write_string(&writer, "group", query.class);
    for (size_t i = 0; i < 2; i++) {
        json_begin_array(&writer, lists[i].name);
        int status =
            store_attempt_each_answer(app->store, &query, lists[i].kind, write_answer, &writer, &err);
        if (status < 0) {
            problem_answer_err(answer, status, &err);
            return;
        }
        json_end_array(&writer);
    }
    json_end_object(&writer);
}

/* ---- one attempt ---- */

/* False: there is none, or the archive failed, and the answer says so. */
static bool find_attempt(struct app *app, const struct request *request, struct store_attempt *attempt,
                         struct answer *answer)
{
    struct err err;
    int status = store_attempt_get(app->store, request->id, attempt, &err);
    if (status == -ENOENT)
        problem_answer_format(answer, 404, "There is no attempt %" PRId64 ".", request->id);
    else if (status < 0)
        problem_answer_err(answer, status, &err);
    return status == 0;
}

/* What was seen of it, now or at its end, as a JSON object; empty lists before it began. */
static int read_record(struct app *app, int64_t id, struct text *record, struct err *err)
{
    static const char nothing[] = "{\"workers\":[],\"panels\":[],\"timeline\":[],\"cut_lines\":0}";
    const struct attempt_record *live =
        app->activities != NULL ? activities_record_of(app->activities, id) : NULL;
    if (live == NULL) {
        int status = store_attempt_record(app->store, id, record, err);
        if (status < 0)
            return status;
        if (strcmp(text_string(record), "null") == 0) {
            text_clear(record);
            text_append(record, nothing);
        }
    } else {
        struct json_writer writer = json_writer_on(record);
        json_begin_object(&writer, NULL);
        attempt_record_write(&writer, live);
        json_end_object(&writer);
    }
    return text_ok(record) && record->length > 0 ? 0 : err_set(err, ENOMEM, "out of memory for an attempt");
}

static void answer_attempt(struct app *app, const struct request *request, int64_t id, int status,
                           struct answer *answer)
{
    struct err err;
    AUTO(store_attempt_fini) struct store_attempt attempt = {.id = 0};
    AUTO(text_fini) struct text record = TEXT_EMPTY;
    int result = store_attempt_get(app->store, id, &attempt, &err);
    if (result == 0)
        result = read_record(app, id, &record, &err);
    if (result != 0) {
        problem_answer_err(answer, result, &err);
        return;
    }
    const struct messages_language *language = api_begin_in_language(app, request, answer);
    answer->status = status;
    record.bytes[record.length - 1] = '\0'; /* its members go into the attempt's own object */
    struct json_writer writer = json_writer_on(&answer->body);
    attempt_json_write(&writer, app, language, &attempt, record.bytes + 1);
}

void api_get_attempt(struct app *app, const struct request *request, struct answer *answer)
{
    AUTO(store_attempt_fini) struct store_attempt attempt = {.id = 0};
    if (find_attempt(app, request, &attempt, answer))
        answer_attempt(app, request, attempt.id, 200, answer);
}

void api_get_attempt_trace(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    char title[64];
    AUTO(store_attempt_fini) struct store_attempt attempt = {.id = 0};
    AUTO(text_fini) struct text record = TEXT_EMPTY;
    if (!find_attempt(app, request, &attempt, answer))
        return;
    int status = read_record(app, attempt.id, &record, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    bool is_over = attempt.state != ACTIVITY_QUEUED && attempt.state != ACTIVITY_RUNNING;
    if (is_over && record.length > TRACE_ON_LOOP_BYTES_MAX && api_answer_in_child(app, answer))
        return;
    AUTO(json_cleanup) struct json_node *document = json_parse(text_string(&record), record.length, &err);
    snprintf(title, sizeof title, "%s, attempt %" PRId64, attempt.lab, attempt.id);
    answer_begin_json(answer, 200);
    answer_add_header(answer, "Content-Disposition", "attachment; filename=\"%s-%" PRId64 ".json\"",
                      attempt.lab, attempt.id);
    struct json_writer writer = json_writer_on(&answer->body);
    trace_write(&writer, document, title);
}

/* ---- asking for one ---- */

struct asked {
    char student[PERSON_BYTES_MAX + 1], group[PERSON_BYTES_MAX + 1];
    struct text parameters, prediction;
};

static void asked_fini(struct asked *asked)
{
    text_fini(&asked->parameters);
    text_fini(&asked->prediction);
}

/* Locked in before the lab begins: an answer that can be compared, and why. */
static void read_prediction(const struct json_node *lab, const struct json_node *prediction,
                            struct asked *asked, struct faults *faults)
{
    static const char *const fields[] = {"answer", "reason"};
    char reason[REASON_BYTES_MAX + 1] = "";
    struct faults own = {.count = 0};
    struct json_writer writer = json_writer_on(&asked->prediction);
    if (prediction == NULL || json_is(prediction, JSON_NULL)) {
        json_write_null(&writer, NULL);
        return;
    }
    if (!json_is(prediction, JSON_OBJECT)) {
        faults_add(faults, "/prediction", "must be an object or null, got %s",
                   json_kind_name(json_kind_of(prediction)));
        return;
    }
    json_read_only_known(prediction, fields, 2, &own);
    json_read_string(prediction, "reason", REASON_BYTES_MAX, reason, &own);
    lab_check_answer(lab, prediction, &own);
    faults_add_below(faults, "/prediction", &own);
    json_begin_object(&writer, NULL);
    json_write_node(&writer, "answer", json_member(prediction, "answer"));
    json_write_string(&writer, "reason", reason);
    json_end_object(&writer);
}

static void read_asked(const struct json_node *lab, const struct json_node *document, struct asked *asked,
                       struct faults *faults)
{
    static const char *const fields[] = {"parameters", "prediction", "student", "group"};
    json_read_only_known(document, fields, sizeof fields / sizeof *fields, faults);
    json_read_string(document, "student", PERSON_BYTES_MAX, asked->student, faults);
    json_read_string(document, "group", PERSON_BYTES_MAX, asked->group, faults);
    lab_read_parameters(lab, json_member(document, "parameters"), &asked->parameters, faults);
    read_prediction(lab, json_member(document, "prediction"), asked, faults);
}

static void queue_attempt(struct app *app, const struct request *request, struct asked *asked,
                          struct answer *answer)
{
    struct err err;
    struct store_attempt attempt = {.created_ms = clock_wall_ms(),
                                    .student = asked->student,
                                    .class = asked->group,
                                    .parameters = asked->parameters.bytes,
                                    .prediction = asked->prediction.bytes};
    text_copy(attempt.lab, sizeof attempt.lab, request->name);
    ulid_make(attempt.created_ms, attempt.uid);
    int status = activities_add_attempt(app->activities, &attempt, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    answer_attempt(app, request, attempt.id, 202, answer);
    if (answer->status == 202)
        answer_add_header(answer, "Location", "/api/v1/attempts/%" PRId64, attempt.id);
}

void api_create_attempt(struct app *app, const struct request *request, struct answer *answer)
{
    const struct json_node *lab = api_find_lab(app, request, answer);
    AUTO(json_cleanup) struct json_node *document = lab != NULL ? api_read_body(request, answer) : NULL;
    if (document == NULL)
        return;
    struct faults faults = {.count = 0};
    AUTO(asked_fini) struct asked asked = {.student = ""};
    read_asked(lab, document, &asked, &faults);
    if (faults.count > 0)
        problem_answer_faults(answer, &faults);
    else if (!text_ok(&asked.parameters) || !text_ok(&asked.prediction))
        problem_answer(answer, 500, "Out of memory for an attempt.");
    else
        queue_attempt(app, request, &asked, answer);
}

/* ---- one that is going on ---- */

/* A line as the lab reads it: {"terminal":…,"text":…} or {"terminal":…,"eof":true}. */
static void read_input(const struct json_node *document, struct text *line, struct faults *faults)
{
    static const char *const fields[] = {"terminal", "text", "eof"};
    char terminal[TERMINAL_BYTES_MAX + 1] = "", text[INPUT_BYTES_MAX + 1] = "";
    bool is_end = false;
    json_read_only_known(document, fields, sizeof fields / sizeof *fields, faults);
    if (!json_read_string(document, "terminal", TERMINAL_BYTES_MAX, terminal, faults) &&
        json_member(document, "terminal") == NULL)
        faults_add(faults, "/terminal", "is missing");
    bool has_text = json_read_string(document, "text", INPUT_BYTES_MAX, text, faults);
    json_read_boolean(document, "eof", &is_end, faults);
    if (faults->count == 0 && has_text == is_end)
        faults_add(faults, "", "must have either \"text\" or \"eof\": true");
    struct json_writer writer = json_writer_on(line);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "terminal", terminal);
    if (is_end)
        json_write_boolean(&writer, "eof", true);
    else
        json_write_string(&writer, "text", text);
    json_end_object(&writer);
}

void api_send_attempt_input(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    struct faults faults = {.count = 0};
    AUTO(text_fini) struct text line = TEXT_EMPTY;
    AUTO(store_attempt_fini) struct store_attempt attempt = {.id = 0};
    AUTO(json_cleanup) struct json_node *document = api_read_body(request, answer);
    if (document == NULL || !find_attempt(app, request, &attempt, answer))
        return;
    const struct json_node *lab = lab_catalogue_find_lab(&app->labs, attempt.lab);
    if (!json_boolean_or(json_member(lab, "interactive"), false)) {
        problem_answer_format(answer, 409, "Lab %s takes no input.", attempt.lab);
        return;
    }
    read_input(document, &line, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    int status = activities_send_input(app->activities, attempt.id, text_string(&line), &err);
    if (status == -ESTALE || status == -EPIPE)
        problem_answer(answer, 409, err.text);
    else if (status < 0)
        problem_answer_err(answer, status, &err);
    else
        answer_set_status(answer, 204);
}

void api_cancel_attempt(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    AUTO(store_attempt_fini) struct store_attempt attempt = {.id = 0};
    if (!api_has_no_fields(request, answer) || !find_attempt(app, request, &attempt, answer))
        return;
    int status = activities_cancel(app->activities, STORE_ATTEMPTS, attempt.id, &err);
    if (status == -ESTALE)
        problem_answer_format(answer, 409, "Attempt %" PRId64 " is %s.", attempt.id,
                              activity_state_names[attempt.state]);
    else if (status < 0)
        problem_answer_err(answer, status, &err);
    else
        answer_attempt(app, request, attempt.id, 202, answer);
}
