#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"

void log_write(enum log_level level, const char *message, const char *format, ...)
{
    static const char *const levels[] = {
        [LOG_INFO] = "info", [LOG_WARNING] = "warning", [LOG_ERROR] = "error"};
    char detail[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);

    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    char date[32], stamp[48];
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp, sizeof stamp, "%s.%03ldZ", date, now.tv_nsec / 1000000);

    AUTO(text_fini) struct text line = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&line);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "time", stamp);
    json_write_string(&writer, "level", levels[level]);
    json_write_string(&writer, "message", message);
    if (detail[0] != '\0')
        json_write_string(&writer, "detail", detail);
    json_end_object(&writer);
    text_append_char(&line, '\n');
    ssize_t written = write(STDERR_FILENO, text_string(&line), line.length);
    (void)written; /* there is nowhere left to report it */
}
