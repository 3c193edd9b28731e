#include "server/isolation.h"

#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"

/* Why the cage could not be furnished: in the probe's own words if it had any. */
static void read_reason(const struct text *output, const struct err *err, char *reason, size_t reason_bytes)
{
    AUTO(json_cleanup) struct json_node *document = json_parse(text_string(output), output->length, NULL);
    text_copy(reason, reason_bytes, json_string_or(json_member(document, "reason"), err->text));
}

enum cage isolation_probe(const struct worker_program *program, char json[ISOLATION_JSON_BYTES])
{
    AUTO(text_fini) struct text output = TEXT_EMPTY;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    char *arguments[] = {"cage-probe", NULL};
    struct err err = {.code = 0};
    bool caged = worker_program_capture(program, arguments, cage_flags_for(geteuid()), &output, &err) == 0;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "cage", caged ? "full" : "reduced");
    if (!caged) {
        char reason[ISOLATION_JSON_BYTES / 2];
        read_reason(&output, &err, reason, sizeof reason);
        log_write(LOG_WARNING, "crews run without a cage", "%s", reason);
        json_write_string(&writer, "reason", reason);
    }
    json_end_object(&writer);
    if (!text_ok(&text) || !text_copy(json, ISOLATION_JSON_BYTES, text_string(&text)))
        text_copy(json, ISOLATION_JSON_BYTES, caged ? "{\"cage\":\"full\"}" : "{\"cage\":\"reduced\"}");
    return caged ? CAGE_FULL : CAGE_NONE;
}
