#include "workers/labs/lab_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "workers/refusal.h"

enum { REQUEST_BYTES_MAX = 65536 };
/* What the leader needs to end a lab and tell how it went, before the enclosure's deadline ends the leader.
 */
enum { REPORT_MS = 1000 };

int labs_main(int argument_count, char **arguments)
{
    (void)arguments;
    if (argument_count != 0) {
        fprintf(stderr, "usage: ipclab-worker labs\n");
        return EXIT_FAILURE;
    }
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    lab_catalogue_write(&writer);
    return text_ok(&text) && puts(text_string(&text)) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The first line of standard input; what came together with it is kept. */
static int read_request(struct text *request, struct text *rest, struct err *err)
{
    char bytes[1024];
    for (;;) {
        ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, errno, "read the request");
        const char *end = memchr(bytes, '\n', (size_t)got);
        size_t length = end != NULL ? (size_t)(end - bytes) : (size_t)got;
        text_append_bytes(request, bytes, length);
        if (end != NULL)
            text_append_bytes(rest, end + 1, (size_t)got - length - 1);
        if (end != NULL || got == 0)
            return 0;
        if (request->length > REQUEST_BYTES_MAX)
            return err_set(err, EFBIG, "the request is longer than %d bytes", REQUEST_BYTES_MAX);
    }
}

static void read_values(struct lab *lab, const struct text *request, struct faults *faults)
{
    struct err err;
    AUTO(json_cleanup) struct json_node *document = NULL;
    const char *bytes = text_string(request);
    if (bytes[strspn(bytes, " \t\r")] != '\0') {
        document = json_parse(bytes, request->length, &err);
        if (document == NULL)
            faults_add(faults, "", "%s", err.text);
    }
    lab_values_read(lab, document, faults);
}

/* For whoever reads the lines, and for a person at a terminal. The line break in front ends a line that a
 * killed leader left unfinished. */
static void tell_failure(const struct lab *lab, const char *detail)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "type", "failed");
    json_write_string(&writer, "detail", detail);
    json_end_object(&writer);
    printf("\n%s\n", text_string(&text));
    fflush(stdout);
    fprintf(stderr, "ipclab-worker lab %s: %s\n", lab->definition->name, detail);
}

/* Inside the enclosure. */
static int lead(const struct enclosure *enclosure, void *context)
{
    struct lab *lab = context;
    struct err err = {.code = 0};
    lab->enclosure = enclosure;
    lab->deadline_ns = enclosure->deadline_ns - REPORT_MS * NS_PER_MS;
    int result = lab_session_init(lab, &err);
    if (result == 0)
        result = lab->definition->run(lab, &err);
    lab_session_end_all(lab);
    if (result == 0 && atomic_load(&lab->memory->has_failed)) {
        err = lab->memory->failure;
        result = -err.code;
    }
    if (result == 0)
        lab_tell_result(lab);
    lab_flush(lab);
    if (result < 0)
        tell_failure(lab, err.text);
    lab_session_fini(lab);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(struct lab *lab)
{
    struct err err;
    struct enclosure_end end;
    /* IPCLAB_UNCAGED is the tests': as on a machine that refuses namespaces. */
    struct enclosure_options options = {.deadline_ms = lab->definition->is_interactive ? LAB_INTERACTIVE_MS
                                                                                       : LAB_DURATION_MS,
                                        .keeps_capabilities = lab->definition->keeps_capabilities,
                                        .without_namespaces = getenv("IPCLAB_UNCAGED") != NULL};
    if (enclosure_run(&options, lead, lab, &end, &err) < 0) {
        tell_failure(lab, err.text);
        return EXIT_FAILURE;
    }
    if (end.timed_out || end.signal != 0) {
        tell_failure(lab, end.timed_out ? "the leader of the lab did not come to an end"
                                        : "the leader of the lab was killed");
        return EXIT_FAILURE;
    }
    return end.status;
}

int lab_main(int argument_count, char **arguments)
{
    static struct lab lab;
    struct faults faults = {.count = 0};
    struct err err;
    AUTO(text_fini) struct text request = TEXT_EMPTY;
    lab.definition = argument_count == 1 ? lab_find(arguments[0]) : NULL;
    if (lab.definition == NULL) {
        fprintf(stderr, "usage: ipclab-worker lab NAME, of those that ipclab-worker labs lists\n");
        return EXIT_FAILURE;
    }
    /* What a careless starter left open would be part of every experiment with descriptors. */
    close_range(STDERR_FILENO + 1, ~0u, 0);
    if (read_request(&request, &lab.input_bytes, &err) < 0) {
        fprintf(stderr, "ipclab-worker lab: %s\n", err.text);
        return EXIT_FAILURE;
    }
    read_values(&lab, &request, &faults);
    return faults.count == 0 ? run(&lab) : refusal_print(&faults);
}
