#include "server/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

enum { DETAIL_BYTES = 768 };

static const struct kind {
    int status;
    const char *type, *title;
} kinds[] = {
    {400, "urn:ipclab:problem:bad-request", "The request cannot be understood"},
    {403, "urn:ipclab:problem:foreign-origin", "The request comes from a foreign origin"},
    {404, "urn:ipclab:problem:not-found", "There is no such thing"},
    {405, "urn:ipclab:problem:method-not-allowed", "This method does not apply here"},
    {409, "urn:ipclab:problem:conflict", "Not in this state"},
    {412, "urn:ipclab:problem:precondition-failed", "It was changed in the meantime"},
    {413, "urn:ipclab:problem:too-large", "The request is too large"},
    {414, "urn:ipclab:problem:address-too-long", "The address is too long"},
    {415, "urn:ipclab:problem:not-json", "The request is not JSON"},
    {421, "urn:ipclab:problem:misdirected", "The request is meant for another server"},
    {422, "urn:ipclab:problem:invalid", "The request is not valid"},
    {428, "urn:ipclab:problem:precondition-required", "The request has to say what it changes"},
    {429, "urn:ipclab:problem:queue-full", "The queue is full"},
    {431, "urn:ipclab:problem:header-too-long", "The header is too long"},
    {500, "urn:ipclab:problem:internal", "Something failed inside the server"},
    {503, "urn:ipclab:problem:unavailable", "Not available at present"},
    {507, "urn:ipclab:problem:archive-full", "The archive's disk is full"},
};

static const struct kind *kind_of(int status)
{
    size_t count = sizeof kinds / sizeof kinds[0];
    for (size_t i = 0; i < count; i++)
        if (kinds[i].status == status)
            return &kinds[i];
    return kind_of(500);
}

/* Details quote what the client sent and are cut to fit, so that a character may have lost its end. */
static void write_utf8(struct json_writer *writer, const char *name, const char *value)
{
    AUTO(text_fini) struct text valid = TEXT_EMPTY;
    for (size_t left = strlen(value); left > 0;) {
        size_t good = text_utf8_valid_prefix(value, left);
        text_append_bytes(&valid, value, good);
        if (good < left) {
            text_append(&valid, "\xEF\xBF\xBD"); /* U+FFFD */
            good++;
        }
        value += good;
        left -= good;
    }
    json_write_string(writer, name, text_string(&valid));
}

static struct json_writer begin(struct answer *answer, int status, const char *detail)
{
    const struct kind *kind = kind_of(status);
    answer_begin_json(answer, kind->status);
    answer->content_type = CONTENT_TYPE_PROBLEM;
    if (kind->status == 429 || kind->status == 503)
        answer_add_header(answer, "Retry-After", "%d", PROBLEM_RETRY_AFTER_S);
    struct json_writer writer = json_writer_on(&answer->body);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "type", kind->type);
    json_write_string(&writer, "title", kind->title);
    json_write_integer(&writer, "status", kind->status);
    write_utf8(&writer, "detail", detail);
    return writer;
}

void problem_answer(struct answer *answer, int status, const char *detail)
{
    struct json_writer writer = begin(answer, status, detail);
    json_end_object(&writer);
}

void problem_answer_format(struct answer *answer, int status, const char *format, ...)
{
    char detail[DETAIL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    problem_answer(answer, status, detail);
}

void problem_answer_faults(struct answer *answer, const struct faults *faults)
{
    problem_answer_faults_as(answer, 422, faults);
}

void problem_answer_faults_as(struct answer *answer, int status, const struct faults *faults)
{
    char detail[DETAIL_BYTES];
    size_t kept = faults_kept(faults);
    if (faults->count == 1)
        snprintf(detail, sizeof detail, "%s%s%s", faults->items[0].pointer,
                 faults->items[0].pointer[0] != '\0' ? ": " : "", faults->items[0].detail);
    else if (faults->count > kept)
        snprintf(detail, sizeof detail, "%zu faults; the first %zu are listed.", faults->count, kept);
    else
        snprintf(detail, sizeof detail, "%zu faults; see errors.", faults->count);
    struct json_writer writer = begin(answer, status, detail);
    json_begin_array(&writer, "errors");
    for (size_t i = 0; i < kept; i++) {
        json_begin_object(&writer, NULL);
        write_utf8(&writer, "pointer", faults->items[i].pointer);
        write_utf8(&writer, "detail", faults->items[i].detail);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

void problem_answer_err(struct answer *answer, int code, const struct err *err)
{
    static const struct {
        int code, status;
    } statuses[] = {
        {-ENOENT, 404}, {-ESTALE, 412}, {-EEXIST, 409}, {-EINVAL, 422},
        {-EAGAIN, 429}, {-ENOSPC, 507}, {-EROFS, 503},  {-EIO, 503},
    };
    int status = 500;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].code == code)
            status = statuses[i].status;
    problem_answer(answer, status, err->text);
}
