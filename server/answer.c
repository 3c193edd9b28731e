#include "server/answer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
    *answer = (struct answer){.status = status};
}

void answer_begin_json(struct answer *answer, int status)
{
    answer_set_status(answer, status);
    answer->content_type = CONTENT_TYPE_JSON;
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
