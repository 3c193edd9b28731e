#include "workers/refusal.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "common/json.h"

enum { STATUS_REFUSED = 2 };

int refusal_print(const struct faults *faults)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "type", "refused");
    json_begin_array(&writer, "errors");
    for (size_t i = 0; i < faults_kept(faults); i++) {
        json_begin_object(&writer, NULL);
        json_write_string(&writer, "pointer", faults->items[i].pointer);
        json_write_string(&writer, "detail", faults->items[i].detail);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    puts(text_string(&text));
    return STATUS_REFUSED;
}
