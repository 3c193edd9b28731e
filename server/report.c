#include "server/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "db/store.h"
#include "server/api/routes.h"
#include "server/app.h"
#include "server/dispatch.h"
#include "server/import.h"
#include "server/problem.h"
#include "server/report_child.h"

/* A trial may be timed meanwhile: be the one that waits, but do get on. */
enum { NICENESS = 10, CPU_SECONDS_MAX = REPORT_MS / 1000, MEMORY_BYTES_MAX = 512 << 20 };

/* Room for the longest bundle, if the output lies on a disk. Only what lies in memory can be sealed, and
 * says so. */
static rlim_t output_bytes_max(void)
{
    return fcntl(STDOUT_FILENO, F_GET_SEALS) >= 0 ? MEMORY_BYTES_MAX : IMPORT_BYTES_MAX;
}

static void limit_this_process(void)
{
    const struct rlimit cpu = {CPU_SECONDS_MAX, CPU_SECONDS_MAX};
    const struct rlimit output = {output_bytes_max(), output_bytes_max()};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, NICENESS);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_FSIZE, &output);
    signal(SIGXFSZ, SIG_IGN); /* write says EFBIG instead */
}

static int write_answer(struct answer *answer, struct err *err)
{
    if (!text_ok(&answer->body))
        return err_set(err, ENOMEM, "out of memory for the answer");
    if (answer->status == 200 && answer->etag[0] == '\0' && answer->spilled == 0)
        etag_write(NULL, text_string(&answer->body), answer->body.length, answer->etag);
    AUTO(text_fini) struct text head = TEXT_EMPTY;
    text_printf(&head, "%d %s %s\n", answer->status, answer->content_type,
                answer->etag[0] != '\0' ? answer->etag : "-");
    for (size_t i = 0; i < answer->header_count; i++)
        text_printf(&head, "%s: %s\n", answer->headers[i].name, answer->headers[i].value);
    uint64_t end = answer->spilled + answer->body.length;
    text_printf(&head, "%0*" PRIu64 "\n", REPORT_OFFSET_DIGITS, end);
    if (!text_ok(&head))
        return err_set(err, ENOMEM, "out of memory for the answer");
    int result =
        answer_write_at(STDOUT_FILENO, answer->spilled, text_string(&answer->body), answer->body.length, err);
    if (result == 0)
        result = answer_write_at(STDOUT_FILENO, end, head.bytes, head.length, err);
    /* A refusal may be shorter than what was written of the answer that failed. */
    if (result == 0 && ftruncate(STDOUT_FILENO, (off_t)(end + head.length)) < 0)
        result = err_errno(err, errno, "write the answer");
    return result;
}

static int answer_target(struct store *store, const char *target, struct err *err)
{
    AUTO_FREE char *buffer = malloc(target_buffer_bytes(target));
    if (buffer == NULL)
        return err_set(err, ENOMEM, "out of memory for the request");
    struct app app = {.store = store};
    struct request request = {.method = METHOD_GET};
    unsigned allowed;
    const struct route *route = target_parse(target, buffer, &request.target) == 0
                                    ? router_find(&api_routes, &request, &allowed)
                                    : NULL;
    if (route == NULL)
        return err_set(err, ENOENT, "nothing is at %s", target);
    const struct dispatch dispatch = {.app = &app, .routes = &api_routes};
    static const int output = STDOUT_FILENO;
    AUTO(answer_fini) struct answer answer = {.status = 0, .spill = &output};
    dispatch_answer(&dispatch, route, &request, &answer);
    return write_answer(&answer, err);
}

int report_write(const char *data, const char *target, struct err *err)
{
    limit_this_process();
    struct store *store = NULL;
    int result = store_open_reading(data, &store, err);
    if (result == 0)
        result = answer_target(store, target, err);
    store_close(store);
    return result;
}
