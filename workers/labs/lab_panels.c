#include "workers/labs/lab_session.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

struct json_writer *lab_panel_begin(struct lab_panel *panel, struct lab *lab, const char *name)
{
    *panel = (struct lab_panel){.lab = lab, .name = name, .at_ns = clock_now_ns(), .text = TEXT_EMPTY};
    panel->writer = json_writer_on(&panel->text);
    json_begin_object(&panel->writer, NULL);
    return &panel->writer;
}

/* A picture that does not fit, or is one too many, is left out: it is a view, not evidence. */
static void send_note(struct lab *lab, const char *name, int64_t at_ns, const char *data)
{
    if (strlen(data) >= LAB_PANEL_BYTES)
        return;
    uint32_t number = atomic_fetch_add(&lab->memory->note_count, 1);
    if (number >= LAB_PANELS_MAX)
        return;
    struct lab_note *note = &lab->memory->notes[number];
    note->at_ns = at_ns;
    text_copy(note->panel, sizeof note->panel, name);
    text_copy(note->data, sizeof note->data, data);
    atomic_store(&note->is_ready, true);
}

void lab_panel_end(struct lab_panel *panel)
{
    json_end_object(&panel->writer);
    if (getpid() == panel->lab->leader)
        lab_tell_panel(panel->lab, panel->name, panel->at_ns, text_string(&panel->text));
    else if (text_ok(&panel->text))
        send_note(panel->lab, panel->name, panel->at_ns, text_string(&panel->text));
    text_fini(&panel->text);
}

static void write_hex(struct json_writer *writer, const char *name, const void *bytes, size_t length)
{
    AUTO(text_fini) struct text hex = TEXT_EMPTY;
    for (size_t i = 0; i < length; i++)
        text_printf(&hex, "%02x", ((const unsigned char *)bytes)[i]);
    json_write_string(writer, name, text_string(&hex));
}

void lab_write_cell(struct json_writer *writer, const char *value, int ok)
{
    json_begin_object(writer, NULL);
    json_write_string(writer, "value", value);
    if (ok < 0)
        json_write_null(writer, "ok");
    else
        json_write_boolean(writer, "ok", ok > 0);
    json_end_object(writer);
}

void lab_panel_hexdump(struct lab *lab, const char *title, const void *address, const void *bytes,
                       size_t length, const struct lab_mark *marks)
{
    struct lab_panel panel;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "hexdump");
    json_write_string(writer, "name", title);
    json_write_string(writer, "title", title);
    char number[24];
    snprintf(number, sizeof number, "%p", address);
    if (address != NULL)
        json_write_string(writer, "address", number);
    write_hex(writer, "bytes", bytes, length);
    json_begin_array(writer, "marks");
    for (; marks != NULL && marks->label != NULL; marks++) {
        json_begin_object(writer, NULL);
        json_write_unsigned(writer, "from", marks->from);
        json_write_unsigned(writer, "to", marks->to);
        json_write_string(writer, "label", marks->label);
        json_end_object(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

void lab_panel_maps(struct lab *lab, const char *worker, const char *moment, const char *word)
{
    struct lab_panel panel;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "maps");
    AUTO_FCLOSE FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    json_write_string(writer, "worker", worker);
    json_write_string(writer, "name", moment);
    json_write_string(writer, "title", moment);
    json_begin_array(writer, "lines");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, word) != NULL || strstr(line, "[heap]") != NULL || strstr(line, "[stack]") != NULL)
            json_write_string(writer, NULL, line);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

void lab_panel_counters(struct lab *lab, const struct lab_counter *counters)
{
    struct lab_panel panel;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "counters");
    json_begin_array(writer, "counters");
    for (; counters->name != NULL; counters++) {
        json_begin_object(writer, NULL);
        json_write_string(writer, "name", counters->name);
        json_write_integer(writer, "value", counters->value);
        json_write_string(writer, "unit", counters->unit);
        json_end_object(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

void lab_panel_descriptors(struct lab *lab, const char *worker, const struct lab_descriptor *rows)
{
    struct lab_panel panel;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "descriptors");
    json_write_string(writer, "worker", worker);
    json_write_string(writer, "name", worker);
    json_begin_array(writer, "rows");
    for (; rows->what != NULL; rows++) {
        json_begin_object(writer, NULL);
        json_write_integer(writer, "fd", rows->fd);
        json_write_string(writer, "what", rows->what);
        json_write_boolean(writer, "open", rows->is_open);
        json_end_object(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}
