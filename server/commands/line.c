#include "server/commands/line.h"

#include <stdio.h>
#include <string.h>

#include "server/commands/commands.h"

static void print_help(const struct line *line)
{
    printf("usage: ipclab %s\n\n%s\n", line->usage, line->help);
    for (size_t i = 0; i < line->option_count; i++) {
        const struct line_option *option = &line->options[i];
        char left[64];
        snprintf(left, sizeof left, "%s %s", option->flag,
                 option->value_name != NULL ? option->value_name : "");
        printf("  %-26s%s\n", left, option->help);
    }
}

static bool refuse(const struct line *line, const char *what, const char *which, int *status)
{
    fprintf(stderr, "ipclab: %s %.80s\nusage: ipclab %s\n", what, which, line->usage);
    *status = COMMAND_USAGE;
    return false;
}

static const struct line_option *find_option(const struct line *line, const char *flag, size_t length)
{
    for (size_t i = 0; i < line->option_count; i++)
        if (strlen(line->options[i].flag) == length && memcmp(line->options[i].flag, flag, length) == 0)
            return &line->options[i];
    return NULL;
}

/* arguments[*at] is a flag; *at ends at its last part. */
static bool read_option(const struct line *line, int count, char *const *arguments, int *at, int *status)
{
    const char *argument = arguments[*at];
    size_t length = strcspn(argument, "=");
    const struct line_option *option = find_option(line, argument, length);
    const char *value = NULL;
    if (option == NULL)
        return refuse(line, "unknown option", argument, status);
    if (option->value_name == NULL) {
        if (argument[length] == '=')
            return refuse(line, "no value belongs to", option->flag, status);
        value = "1";
    } else if (argument[length] == '=') {
        value = argument + length + 1;
    } else if (*at + 1 < count) {
        value = arguments[++*at];
    } else {
        return refuse(line, "a value is missing after", option->flag, status);
    }
    if (option->value != NULL)
        *option->value = value;
    else if (line->repeated->count < LINE_VALUES_MAX)
        line->repeated->values[line->repeated->count++] = value;
    else
        return refuse(line, "one too many:", value, status);
    return true;
}

bool line_read(const struct line *line, int count, char *const *arguments, const char **operands,
               int *operand_count, int *status)
{
    bool are_operands = false; /* from "--" on */
    *operand_count = 0;
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        if (!are_operands && strcmp(argument, "--") == 0) {
            are_operands = true;
        } else if (!are_operands && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)) {
            print_help(line);
            *status = COMMAND_OK;
            return false;
        } else if (!are_operands && argument[0] == '-' && argument[1] != '\0') {
            if (!read_option(line, count, arguments, &i, status))
                return false;
        } else if (*operand_count == line->operands_max) {
            return refuse(line, "one too many:", argument, status);
        } else {
            operands[(*operand_count)++] = argument;
        }
    }
    if (*operand_count < line->operands_min)
        return refuse(line, "something is missing", "", status);
    return true;
}
