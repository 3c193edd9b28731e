#include "workers/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/catalogue.h"
#include "common/cleanup.h"
#include "workers/cage.h"
#include "workers/mechanisms/mechanism.h"

/* Every mechanism of the table, each probed. */
static void probe_all(struct catalogue *catalogue)
{
    catalogue->count = 0;
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++) {
        const struct mechanism *mechanism = *at;
        struct mechanism_facts *facts = &catalogue->mechanisms[catalogue->count++];
        struct err err;
        *facts = (struct mechanism_facts){.traits = mechanism->traits,
                                          .waits = mechanism->waits,
                                          .message_bytes_max = mechanism_message_bytes_max(mechanism),
                                          .available = mechanism->probe(&err) == 0};
        text_copy(facts->name, sizeof facts->name, mechanism->name);
        text_copy(facts->title, sizeof facts->title, mechanism->title);
        text_copy(facts->family, sizeof facts->family, mechanism->family);
        if (!facts->available)
            text_copy(facts->unavailable_reason, sizeof facts->unavailable_reason, err.text);
    }
}

int describe_main(int argument_count, char **arguments)
{
    bool caged = argument_count == 1 && strcmp(arguments[0], "caged") == 0;
    struct err err;
    if (argument_count != (caged ? 1 : 0)) {
        fprintf(stderr, "usage: ipclab-worker describe [caged]\n");
        return EXIT_FAILURE;
    }
    if (caged && cage_visit(&err) < 0) {
        fprintf(stderr, "ipclab-worker describe: %s\n", err.text);
        return EXIT_FAILURE;
    }
    static struct catalogue catalogue;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    probe_all(&catalogue);
    catalogue_write(&writer, &catalogue);
    return text_ok(&text) && puts(text_string(&text)) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
