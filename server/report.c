#include "server/report.h"

#include <errno.h>
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
#include "server/problem.h"

/* A trial may be timed meanwhile: be the one that waits, but do get on. */
enum { NICENESS = 10, CPU_SECONDS_MAX = 60, OUTPUT_BYTES_MAX = 512 << 20 };

static void limit_this_process(void)
{
    const struct rlimit cpu = {CPU_SECONDS_MAX, CPU_SECONDS_MAX};
    const struct rlimit output = {OUTPUT_BYTES_MAX, OUTPUT_BYTES_MAX};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, NICENESS);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_FSIZE, &output);
    signal(SIGXFSZ, SIG_IGN); /* write says EFBIG instead */
}

static int write_all(const char *bytes, size_t length, struct err *err)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return err_errno(err, errno, "write the answer");
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

static int write_answer(struct answer *answer, struct err *err)
{
    if (!text_ok(&answer->body))
        return err_set(err, ENOMEM, "out of memory for the answer");
    if (answer->status == 200 && answer->etag[0] == '\0')
        etag_write(NULL, text_string(&answer->body), answer->body.length, answer->etag);
    AUTO(text_fini) struct text head = TEXT_EMPTY;
    text_printf(&head, "%d %s %s\n", answer->status, answer->content_type,
                answer->etag[0] != '\0' ? answer->etag : "-");
    for (size_t i = 0; i < answer->header_count; i++)
        text_printf(&head, "%s: %s\n", answer->headers[i].name, answer->headers[i].value);
    text_append_char(&head, '\n');
    if (!text_ok(&head))
        return err_set(err, ENOMEM, "out of memory for the answer");
    int result = write_all(head.bytes, head.length, err);
    return result < 0 ? result : write_all(text_string(&answer->body), answer->body.length, err);
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
    AUTO(answer_fini) struct answer answer = {.status = 0};
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
