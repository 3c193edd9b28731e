/* line: a command's operands and options, in any order; --flag VALUE and --flag=VALUE are the same. */
#ifndef IPCLAB_SERVER_COMMANDS_LINE_H
#define IPCLAB_SERVER_COMMANDS_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { LINE_VALUES_MAX = 16 };

struct line_values {
    const char *values[LINE_VALUES_MAX];
    size_t count;
};

struct line_option {
    const char *flag, *value_name /* NULL: it has none, and *value becomes "1" */, *help;
    const char **value; /* borrowed from the arguments; left alone when the flag is not there.
                         * NULL: it may stand several times, and its values go to line.repeated */
};

struct line {
    const char *usage; /* "backup FILE" */
    const char *help;  /* what it does, and its exit statuses */
    const struct line_option *options;
    size_t option_count;
    struct line_values *repeated;
    int operands_min, operands_max;
};

/* False: the command is over, with *status: --help was asked for, or something was wrong and has been said.
 */
bool line_read(const struct line *line, int count, char *const *arguments, const char **operands,
               int *operand_count, int *status);

#endif
