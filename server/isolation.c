#include "server/isolation.h"

#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"

enum cage isolation_probe(const struct worker_program *program, char json[ISOLATION_JSON_BYTES])
{
    AUTO(text_fini) struct text output = TEXT_EMPTY;
    char *arguments[] = {"cage-probe", NULL};
    struct err err = {.code = 0};
    bool caged = worker_program_capture(program, arguments, cage_flags_for(geteuid()), &output, &err) == 0;
    if (!caged)
        log_write(LOG_WARNING, "crews run without a cage", "%s %s", err.text, text_string(&output));

    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    char reason[ISOLATION_JSON_BYTES / 2];
    text_copy(reason, sizeof reason, err.text);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "cage", caged ? "full" : "reduced");
    if (!caged)
        json_write_string(&writer, "reason", reason);
    json_end_object(&writer);
    if (!text_ok(&text) || !text_copy(json, ISOLATION_JSON_BYTES, text_string(&text)))
        text_copy(json, ISOLATION_JSON_BYTES, caged ? "{\"cage\":\"full\"}" : "{\"cage\":\"reduced\"}");
    return caged ? CAGE_FULL : CAGE_NONE;
}
