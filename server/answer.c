#include "server/answer.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPILL_BYTES = 1024 * 1024 };

void answer_fini(struct answer *answer)
{
    text_fini(&answer->body);
    for (size_t i = 0; i < answer->header_count; i++)
        free(answer->headers[i].value);
    answer->header_count = 0;
}

void answer_set_status(struct answer *answer, int status)
{
    answer_fini(answer);
    *answer = (struct answer){.status = status, .spill = answer->spill};
}

void answer_begin_json(struct answer *answer, int status)
{
    answer_set_status(answer, status);
    answer->content_type = CONTENT_TYPE_JSON;
}

int answer_write_at(int fd, uint64_t offset, const char *bytes, size_t length, struct err *err)
{
    while (length > 0) {
        ssize_t written = pwrite(fd, bytes, length, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return err_errno(err, errno, "write the answer");
        bytes += written;
        offset += (uint64_t)written;
        length -= (size_t)written;
    }
    return 0;
}

int answer_spill(struct answer *answer, struct err *err)
{
    struct text *body = &answer->body;
    if (answer->spill == NULL || body->length < SPILL_BYTES || !text_ok(body))
        return 0;
    int result = answer_write_at(*answer->spill, answer->spilled, body->bytes, body->length, err);
    if (result < 0)
        return result;
    answer->spilled += body->length;
    text_clear(body);
    return 0;
}

void answer_add_header(struct answer *answer, const char *name, const char *format, ...)
{
    assert(answer->header_count < ANSWER_HEADERS_MAX);
    char *value = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&value, format, arguments);
    va_end(arguments);
    if (length >= 0)
        answer->headers[answer->header_count++] = (struct answer_header){.name = name, .value = value};
}
