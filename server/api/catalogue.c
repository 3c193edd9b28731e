/* mechanisms and presets: fixed while the server runs, since the workers' table was asked at its start. */
#include <string.h>

#include "common/cleanup.h"
#include "common/experiment.h"
#include "server/api/routes.h"
#include "server/api/support.h"

void api_get_mechanisms(struct app *app, const struct request *request, struct answer *answer)
{
    if (api_answer_cached(request, "mechanisms", answer))
        return;
    AUTO(text_fini) struct text body = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&body);
    catalogue_write(&writer, &app->catalogue);
    api_answer_and_cache(request, "mechanisms", &body, answer);
}

/* Every field but the seed, which each run draws for itself. */
static void write_without_seed(struct json_writer *writer, const struct experiment *experiment)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer whole = json_writer_on(&text);
    experiment_write(&whole, NULL, experiment);
    AUTO(json_cleanup) struct json_node *document = json_parse(text_string(&text), text.length, NULL);
    json_begin_object(writer, "experiment");
    for (const struct json_node *child = json_first(document); child != NULL; child = json_next(child))
        if (strcmp(json_name(child), "seed") != 0)
            json_write_node(writer, json_name(child), child);
    json_end_object(writer);
}

static void write_preset(struct json_writer *writer, const struct app *app, const struct preset *preset)
{
    AUTO(text_fini) struct text asked = TEXT_EMPTY;
    struct json_writer asking = json_writer_on(&asked);
    json_begin_object(&asking, NULL);
    json_write_string(&asking, "preset", preset->name);
    json_end_object(&asking);
    AUTO(json_cleanup) struct json_node *document = json_parse(text_string(&asked), asked.length, NULL);
    struct experiment_context context = {.catalogue = &app->catalogue, .cpus = app->machine.cpus};
    struct experiment_request request = {.skip_count = 0};
    struct faults faults = {.count = 0};
    experiment_read(document, &context, &request, &faults);
    if (faults.count > 0)
        return; /* nothing it needs is available on this machine */
    json_begin_object(writer, NULL);
    json_write_string(writer, "name", preset->name);
    json_write_string(writer, "title", preset->title);
    write_without_seed(writer, &request.experiment);
    json_write_integer(writer, "estimated_ms", experiment_estimated_ms(&request.experiment));
    json_end_object(writer);
}

void api_get_presets(struct app *app, const struct request *request, struct answer *answer)
{
    if (api_answer_cached(request, "presets", answer))
        return;
    AUTO(text_fini) struct text body = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&body);
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "presets");
    for (size_t i = 0; i < PRESET_COUNT; i++)
        write_preset(&writer, app, &presets[i]);
    json_end_array(&writer);
    json_end_object(&writer);
    api_answer_and_cache(request, "presets", &body, answer);
}
