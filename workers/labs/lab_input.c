#include "workers/labs/lab_session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

/* {"terminal":"writer","text":"…"} or {"terminal":"writer","eof":true}. What is neither is not for us. */
static void take_line(struct lab *lab, const char *line, size_t length)
{
    struct faults faults = {.count = 0};
    struct lab_input input = {.is_end = false};
    AUTO(json_cleanup) struct json_node *document = json_parse(line, length, NULL);
    if (!json_read_string(document, "terminal", sizeof input.terminal - 1, input.terminal, &faults))
        return;
    json_read_string(document, "text", sizeof input.text - 1, input.text, &faults);
    json_read_boolean(document, "eof", &input.is_end, &faults);
    if (faults.count == 0 && lab->input != NULL)
        lab->input(lab, &input);
}

/* A server that hangs up has ended, and with it the attempt; a terminal's or a file's end means only that
 * nothing more will be typed. */
static void end_input(struct lab *lab)
{
    lab->input_ended = true;
    if (lab->input_is_socket && lab->over == NULL)
        lab->over = "unobserved";
}

void lab_take_input(struct lab *lab)
{
    char bytes[LAB_INPUT_BYTES];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        end_input(lab);
        return;
    }
    text_append_bytes(&lab->input_bytes, bytes, (size_t)got);
    lab_hand_on_input(lab);
}

void lab_hand_on_input(struct lab *lab)
{
    const char *end;
    while ((end = memchr(text_string(&lab->input_bytes), '\n', lab->input_bytes.length)) != NULL) {
        struct text rest = TEXT_EMPTY;
        size_t length = (size_t)(end - text_string(&lab->input_bytes));
        take_line(lab, text_string(&lab->input_bytes), length);
        text_append_bytes(&rest, end + 1, lab->input_bytes.length - length - 1);
        text_fini(&lab->input_bytes);
        lab->input_bytes = rest;
    }
    if (lab->input_bytes.length > LAB_INPUT_BYTES)
        text_clear(&lab->input_bytes); /* no line is that long */
}
