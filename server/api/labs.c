/* labs: the guided experiments, what may be asked of each, and the program a student is shown. */
#include <string.h>

#include "common/cleanup.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/http.h"
#include "server/messages.h"
#include "server/problem.h"
#include "server/static_files.h"

static void write_text(struct json_writer *writer, const char *name, const struct messages_language *language,
                       const char *lab)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    messages_append(&text, language, NULL, "labs.%s.%s", lab, name);
    json_write_string(writer, name, text_string(&text));
}

/* One without a title of its own is its own title. */
static void write_choices(struct json_writer *writer, const struct json_node *choices,
                          const struct json_node *titles)
{
    if (!json_is(choices, JSON_ARRAY)) {
        json_write_null(writer, "choices");
        return;
    }
    json_begin_array(writer, "choices");
    for (const struct json_node *choice = json_first(choices); choice != NULL; choice = json_next(choice)) {
        const char *word = json_string_or(choice, "");
        json_begin_object(writer, NULL);
        json_write_string(writer, "value", word);
        json_write_string(writer, "title", json_string_or(json_member(titles, word), word));
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* A parameter or the prediction: what the worker says of it, with its texts. */
static void write_range(struct json_writer *writer, const char *name, const struct json_node *range,
                        const struct json_node *texts)
{
    json_begin_object(writer, name);
    for (const struct json_node *field = json_first(range); field != NULL; field = json_next(field))
        if (strcmp(json_name(field), "choices") != 0)
            json_write_node(writer, json_name(field), field);
    write_choices(writer, json_member(range, "choices"), json_member(texts, "choices"));
    const char *own_name = json_string_or(json_member(range, "name"), "");
    json_write_string(writer, "title", json_string_or(json_member(texts, "title"), own_name));
    json_end_object(writer);
}

static void write_parameters(struct json_writer *writer, const struct messages_language *language,
                             const struct json_node *lab)
{
    json_begin_array(writer, "parameters");
    const struct json_node *parameter = json_first(json_member(lab, "parameters"));
    for (; parameter != NULL; parameter = json_next(parameter))
        write_range(writer, NULL, parameter,
                    messages_find(language, "labs.%s.parameters.%s", lab_name(lab),
                                  json_string_or(json_member(parameter, "name"), "")));
    json_end_array(writer);
}

static void write_lab(struct json_writer *writer, const struct messages_language *language,
                      const struct json_node *lab)
{
    static const char *const texts[] = {"title", "question", "teaches"};
    static const char *const facts[] = {"mechanisms",  "claims",          "panels",
                                        "interactive", "duration_ms_max", "source"};
    const char *name = lab_name(lab);
    const struct json_node *next = messages_find(language, "labs.%s.next", name);
    json_begin_object(writer, NULL);
    json_write_string(writer, "name", name);
    json_write_node(writer, "number", json_member(lab, "number"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        write_text(writer, texts[i], language, name);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        json_write_node(writer, facts[i], json_member(lab, facts[i]));
    write_parameters(writer, language, lab);
    write_range(writer, "prediction", json_member(lab, "prediction"),
                messages_find(language, "labs.%s.prediction", name));
    if (json_is(next, JSON_ARRAY))
        json_write_node(writer, "next", next);
    else
        json_write_raw(writer, "next", "[]");
    json_end_object(writer);
}

void api_list_labs(struct app *app, const struct request *request, struct answer *answer)
{
    const struct messages_language *language = api_begin_in_language(app, request, answer);
    struct json_writer writer = json_writer_on(&answer->body);
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "labs");
    const struct json_node *lab = lab_catalogue_first_lab(&app->labs);
    for (; lab != NULL; lab = json_next(lab))
        write_lab(&writer, language, lab);
    json_end_array(&writer);
    json_end_object(&writer);
}

void api_get_lab(struct app *app, const struct request *request, struct answer *answer)
{
    const struct json_node *lab = api_find_lab(app, request, answer);
    if (lab == NULL)
        return;
    const struct messages_language *language = api_begin_in_language(app, request, answer);
    struct json_writer writer = json_writer_on(&answer->body);
    write_lab(&writer, language, lab);
}

/* Embedded, since an installed program has no source tree. */
void api_get_lab_source(struct app *app, const struct request *request, struct answer *answer)
{
    if (api_find_lab(app, request, answer) == NULL)
        return;
    const struct static_files *files = http_files(request->http);
    if (static_files_has(files, request->target.path))
        static_files_answer(files, request, answer);
    else
        problem_answer_format(answer, 404, "Lab %s has no program to show.", request->name);
}
