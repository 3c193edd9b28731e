#include "server/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

struct option {
    const char *flag, *variable, *value_name, *fallback, *help;
    /* Its error says what the value has to be; whose value it is, set_option says. */
    int (*set)(struct config *config, const char *value, struct err *err);
};

static bool is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int set_listen(struct config *config, const char *value, struct err *err)
{
    if (!is_loopback(value))
        return err_set(
            err, EINVAL,
            "only a loopback address (127.0.0.1, ::1) is served, because whoever reaches the server "
            "may start processes; use an SSH tunnel to reach it from elsewhere");
    text_copy(config->listen, sizeof config->listen, value);
    return 0;
}

static int set_port(struct config *config, const char *value, struct err *err)
{
    char *end = NULL;
    errno = 0;
    unsigned long port = strtoul(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || value[0] == '-' || port > UINT16_MAX)
        return err_set(err, EINVAL, "must be 0 to 65535");
    config->port = (uint16_t)port;
    return 0;
}

static int set_data(struct config *config, const char *value, struct err *err)
{
    if (value[0] == '\0' || !text_copy(config->data, sizeof config->data, value))
        return err_set(err, EINVAL, "must be a path of 1 to %d bytes", PATH_MAX - 1);
    return 0;
}

static int set_no_first_run(struct config *config, const char *value, struct err *err)
{
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return err_set(err, EINVAL, "must be 0 or 1");
    config->first_run = strcmp(value, "0") == 0;
    return 0;
}

/* "90d": days, hours, or for ever. */
static int read_span(const char *value, int64_t *ms, struct err *err)
{
    char *end = NULL;
    errno = 0;
    long number = strtol(value, &end, 10);
    bool is_number = errno == 0 && value[0] >= '0' && value[0] <= '9' && number <= 36500;
    *ms = -1;
    if (strcmp(value, "forever") == 0)
        return 0;
    if (!is_number || (strcmp(end, "d") != 0 && strcmp(end, "h") != 0))
        return err_set(err, EINVAL, "must be a number of days (90d) or hours (12h), or forever");
    *ms = number * (*end == 'd' ? 24 : 1) * 3600 * MS_PER_S;
    return 0;
}

static int set_keep_series(struct config *config, const char *value, struct err *err)
{
    return read_span(value, &config->keep_series_ms, err);
}

static int set_keep_histograms(struct config *config, const char *value, struct err *err)
{
    return read_span(value, &config->keep_histograms_ms, err);
}

static int set_keep_deleted(struct config *config, const char *value, struct err *err)
{
    return read_span(value, &config->keep_deleted_ms, err);
}

static int set_keep_timelines(struct config *config, const char *value, struct err *err)
{
    return read_span(value, &config->keep_timelines_ms, err);
}

static int set_keep_attempts(struct config *config, const char *value, struct err *err)
{
    return read_span(value, &config->keep_attempts_ms, err);
}

static int set_keep_checks(struct config *config, const char *value, struct err *err)
{
    return read_span(value, &config->keep_checks_ms, err);
}

static const struct option options[] = {
    {"--listen", "IPCLAB_LISTEN", "ADDRESS", "127.0.0.1", "loopback address to serve on", set_listen},
    {"--port", "IPCLAB_PORT", "PORT", "8080", "TCP port, 0 for any free one", set_port},
    {"--data", "IPCLAB_DATA", "DIR", NULL, "where the archive lives ($XDG_DATA_HOME/ipclab)", set_data},
    {"--no-first-run", "IPCLAB_NO_FIRST_RUN", NULL, "0", "do not measure at once when the archive is empty",
     set_no_first_run},
    {"--keep-series", "IPCLAB_KEEP_SERIES", "SPAN", "forever", "drop time series of runs older than 90d, say",
     set_keep_series},
    {"--keep-histograms", "IPCLAB_KEEP_HISTOGRAMS", "SPAN", "forever",
     "drop histograms of runs older than that; summaries stay", set_keep_histograms},
    {"--keep-deleted", "IPCLAB_KEEP_DELETED", "SPAN", "30d", "how long a deleted run can be restored",
     set_keep_deleted},
    {"--keep-timelines", "IPCLAB_KEEP_TIMELINES", "SPAN", "forever",
     "drop timelines and panels of older attempts at labs; what came out stays", set_keep_timelines},
    {"--keep-attempts", "IPCLAB_KEEP_ATTEMPTS", "SPAN", "forever", "drop older attempts at labs altogether",
     set_keep_attempts},
    {"--keep-checks", "IPCLAB_KEEP_CHECKS", "SPAN", "forever",
     "drop older checks of claims, never a claim's last verdict", set_keep_checks},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static int set_default_data(struct config *config, struct err *err)
{
    const char *base = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int length;
    if (base != NULL && base[0] == '/')
        length = snprintf(config->data, sizeof config->data, "%s/ipclab", base);
    else if (home != NULL && home[0] == '/')
        length = snprintf(config->data, sizeof config->data, "%s/.local/share/ipclab", home);
    else
        return err_set(err, EINVAL, "neither XDG_DATA_HOME nor HOME is set: say --data DIR");
    if (length < 0 || (size_t)length >= sizeof config->data)
        return err_set(err, EINVAL, "the data directory's path is too long: say --data DIR");
    return 0;
}

static const struct option *find_option(const char *flag)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(options[i].flag, flag) == 0)
            return &options[i];
    return NULL;
}

/* where: "--port " or "IPCLAB_PORT=". */
static int set_option(struct config *config, const struct option *option, const char *where,
                      const char *value, struct err *err)
{
    struct err said = {0};
    int result = option->set(config, value, &said);
    return result < 0 ? err_set(err, said.code, "%s%.60s: %s", where, value, said.text) : 0;
}

static int read_defaults(struct config *config, struct err *err)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *value = getenv(options[i].variable);
        if (value == NULL || value[0] == '\0')
            value = options[i].fallback;
        char where[64];
        snprintf(where, sizeof where, "%s=", options[i].variable);
        int result = value != NULL ? set_option(config, &options[i], where, value, err) : 0;
        if (result < 0)
            return result;
    }
    return 0;
}

int config_read(struct config *config, int count, char *const *arguments, struct err *err)
{
    *config = (struct config){.first_run = true};
    int result = read_defaults(config, err);
    if (result < 0)
        return result;
    for (int i = 0; i < count; i++) {
        char flag[64];
        const char *equals = strchr(arguments[i], '=');
        size_t length = equals != NULL ? (size_t)(equals - arguments[i]) : strlen(arguments[i]);
        snprintf(flag, sizeof flag, "%.*s", (int)(length < 63 ? length : 63), arguments[i]);
        const struct option *option = find_option(flag);
        if (option == NULL)
            return err_set(err, EINVAL, "unknown option %.60s", arguments[i]);
        const char *value = "1";
        if (option->value_name != NULL && equals != NULL)
            value = equals + 1;
        else if (option->value_name != NULL && i + 1 < count)
            value = arguments[++i];
        else if (option->value_name != NULL || equals != NULL)
            return err_set(err, EINVAL, "%s takes %s", option->flag,
                           option->value_name != NULL ? option->value_name : "no value");
        char where[64];
        snprintf(where, sizeof where, "%s ", option->flag);
        result = set_option(config, option, where, value, err);
        if (result < 0)
            return result;
    }
    return config->data[0] != '\0' ? 0 : set_default_data(config, err);
}

void config_write_help(struct text *out)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[48];
        const struct option *option = &options[i];
        snprintf(left, sizeof left, "%s %s", option->flag,
                 option->value_name != NULL ? option->value_name : "");
        text_printf(out, "  %-24s%s", left, option->help);
        if (option->value_name != NULL && option->fallback != NULL)
            text_printf(out, " (%s)", option->fallback);
        text_printf(out, "; %s\n", option->variable);
    }
}
