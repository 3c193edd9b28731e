#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static void fill(struct err *err, int code, const char *format,
                                                       va_list arguments)
{
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, arguments);
}

int err_set(struct err *err, int code, const char *format, ...)
{
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        fill(err, code, format, arguments);
        va_end(arguments);
    }
    return -code;
}

int err_errno(struct err *err, int code, const char *format, ...)
{
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        fill(err, code, format, arguments);
        va_end(arguments);
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(code));
    }
    return -code;
}

int err_prefix(struct err *err, const char *format, ...)
{
    if (err == NULL)
        return 0;
    struct err inner = *err;
    va_list arguments;
    va_start(arguments, format);
    fill(err, inner.code, format, arguments);
    va_end(arguments);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", inner.text);
    return -inner.code;
}
