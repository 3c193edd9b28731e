/* log: one JSON object a line on standard error, for people and for collectors.
 *
 *     log_write(LOG_INFO, "run finished", "run=17 trials=60");
 * gives {"time":"2026-01-31T12:00:00.123Z","level":"info","message":"run finished","detail":"run=17
 * trials=60"}
 *
 * A line is one write(2), so lines of several processes do not mix. Never logs a token. */
#ifndef IPCLAB_COMMON_LOG_H
#define IPCLAB_COMMON_LOG_H

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

__attribute__((format(printf, 3, 4))) void log_write(enum log_level level, const char *message,
                                                     const char *format, ...);

#endif
