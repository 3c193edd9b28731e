/* machine: the fingerprint of the machine this server runs on, and those that archived runs were taken on. */
#include "common/cleanup.h"
#include "db/store.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/problem.h"

void api_get_machine(struct app *app, const struct request *request, struct answer *answer)
{
    (void)request;
    answer_begin_json(answer, 200);
    struct json_writer writer = json_writer_on(&answer->body);
    machine_write(&writer, &app->machine);
}

void api_get_machine_of_runs(struct app *app, const struct request *request, struct answer *answer)
{
    AUTO(store_machine_fini) struct store_machine machine = {.facts = NULL};
    struct err err;
    int result = store_machine_get(app->store, request->name, &machine, &err);
    if (result < 0) {
        problem_answer_err(answer, result, &err);
        return;
    }
    answer_begin_json(answer, 200);
    struct json_writer writer = json_writer_on(&answer->body);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "comparable", machine.comparable);
    json_write_string(&writer, "full", machine.full);
    json_write_raw(&writer, "facts", machine.facts);
    json_end_object(&writer);
}
