/* machine: the fingerprint of the machine this server runs on. */
#include "server/api/routes.h"
#include "server/api/support.h"

void api_get_machine(struct app *app, const struct request *request, struct answer *answer)
{
    (void)request;
    answer_begin_json(answer, 200);
    struct json_writer writer = json_writer_on(&answer->body);
    machine_write(&writer, &app->machine);
}
