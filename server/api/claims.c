/* claims: the ledger, each claim with what this machine, or another one, was found to do. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/check_json.h"
#include "server/messages.h"
#include "server/problem.h"

static void write_text(struct json_writer *writer, const char *name, const struct messages_language *language,
                       int64_t number)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    messages_append(&text, language, NULL, "claims.%" PRId64 ".%s", number, name);
    json_write_string(writer, name, text_string(&text));
}

static void write_labs(struct json_writer *writer, const struct app *app, const struct json_node *claim)
{
    json_begin_array(writer, "labs");
    const struct json_node *lab = lab_catalogue_first_lab(&app->labs);
    for (; lab != NULL; lab = json_next(lab))
        if (lab_shows_claim(lab, claim))
            json_write_string(writer, NULL, lab_name(lab));
    json_end_array(writer);
}

struct ledger {
    const struct app *app;
    const struct messages_language *language;
    struct json_writer writer;
    const struct json_node *claim; /* the next to be written */
};

static void write_claim(struct ledger *ledger, const struct store_check *latest)
{
    static const char *const facts[] = {"mechanism", "also", "criteria", "timed", "source"};
    int64_t number = claim_number(ledger->claim);
    struct json_writer *writer = &ledger->writer;
    json_begin_object(writer, NULL);
    json_write_integer(writer, "number", number);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        json_write_node(writer, facts[i], json_member(ledger->claim, facts[i]));
    write_text(writer, "text", ledger->language, number);
    write_text(writer, "experiment", ledger->language, number);
    write_labs(writer, ledger->app, ledger->claim);
    if (latest != NULL)
        check_json_write(writer, "latest", ledger->app, ledger->language, latest);
    else
        json_write_null(writer, "latest");
    json_end_object(writer);
}

/* Both lists are in the order of the numbers. */
static int write_claims_up_to(void *context, const struct store_check *latest)
{
    struct ledger *ledger = context;
    for (; ledger->claim != NULL && claim_number(ledger->claim) < latest->claim;
         ledger->claim = json_next(ledger->claim))
        write_claim(ledger, NULL);
    if (ledger->claim != NULL && claim_number(ledger->claim) == latest->claim) {
        write_claim(ledger, latest);
        ledger->claim = json_next(ledger->claim);
    }
    return 0;
}

void api_list_claims(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    const char *machine = api_read_machine(app, request, answer);
    if (machine == NULL)
        return;
    struct ledger ledger = {.app = app, .claim = lab_catalogue_first_claim(&app->labs)};
    ledger.language = api_begin_in_language(app, request, answer);
    ledger.writer = json_writer_on(&answer->body);
    json_begin_object(&ledger.writer, NULL);
    json_begin_array(&ledger.writer, "claims");
    int status = store_check_each_latest(app->store, machine, 0, write_claims_up_to, &ledger, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    for (; ledger.claim != NULL; ledger.claim = json_next(ledger.claim))
        write_claim(&ledger, NULL);
    json_end_array(&ledger.writer);
    json_end_object(&ledger.writer);
}

static int write_latest(void *context, const struct store_check *latest)
{
    struct ledger *ledger = context;
    write_claim(ledger, latest);
    ledger->claim = NULL;
    return 0;
}

void api_get_claim(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    const struct json_node *claim = api_find_claim(app, request, answer);
    const char *machine = claim != NULL ? api_read_machine(app, request, answer) : NULL;
    if (machine == NULL)
        return;
    struct ledger ledger = {.app = app, .claim = claim};
    ledger.language = api_begin_in_language(app, request, answer);
    ledger.writer = json_writer_on(&answer->body);
    int status = store_check_each_latest(app->store, machine, (int)request->id, write_latest, &ledger, &err);
    if (status < 0)
        problem_answer_err(answer, status, &err);
    else if (ledger.claim != NULL)
        write_claim(&ledger, NULL);
}
