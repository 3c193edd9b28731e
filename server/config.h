/* config: how the server was asked to run. Flags win over IPCLAB_* variables, those over the defaults; one
 * table in config.c names all three, so that --help cannot lie. */
#ifndef IPCLAB_SERVER_CONFIG_H
#define IPCLAB_SERVER_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/text.h"

struct config {
    char listen[64]; /* a loopback address */
    uint16_t port;   /* 0 = any free one */
    char data[PATH_MAX];
    bool first_run; /* take the quick preset when the archive is empty */
    /* -1 = for ever */
    int64_t keep_series_ms, keep_histograms_ms, keep_deleted_ms;
    int64_t keep_timelines_ms, keep_attempts_ms, keep_checks_ms;
};

/* arguments[0] is the first one after the subcommand. -EINVAL and a sentence for the user. */
int config_read(struct config *config, int count, char *const *arguments, struct err *err);
/* The options as --help shows them. */
void config_write_help(struct text *out);

#endif
