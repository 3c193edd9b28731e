/* openapi: the API's description, as written and as JSON. Both are embedded files. */
#include "server/api/routes.h"
#include "server/http.h"
#include "server/static_files.h"

static void answer_description(const struct request *request, struct answer *answer)
{
    static_files_answer(http_files(request->http), request, answer);
}

void api_get_openapi_json(struct app *app, const struct request *request, struct answer *answer)
{
    (void)app;
    answer_description(request, answer);
}

void api_get_openapi_yaml(struct app *app, const struct request *request, struct answer *answer)
{
    (void)app;
    answer_description(request, answer);
}
