/* Any bytes as a bundle. Holds: it is cut into the same parts however it comes in; what reads without a fault
 * is, written again, its own canonical text, and reads again. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/import_read.h"
#include "server/import_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CASES = 2, SLOTS = 4 };

static void take_trial(const struct json_node *node, struct text *written, struct faults *faults)
{
    char checksum[BUNDLE_CHECKSUM_BYTES];
    AUTO(store_trial_fini) struct store_trial trial;
    import_read_trial(node, CASES, SLOTS, &trial, checksum, faults);
    if (faults->count == 0)
        bundle_write_trial(written, &trial, checksum);
}

static void take_run(const struct json_node *node, struct text *written, struct faults *faults)
{
    char checksum[BUNDLE_CHECKSUM_BYTES];
    AUTO(store_run_fini) struct store_run run;
    import_read_run(node, &run, checksum, faults);
    if (faults->count == 0)
        bundle_write_run(written, &run, checksum);
}

static void take_machine(const struct json_node *node, struct text *written, struct faults *faults)
{
    char checksum[BUNDLE_CHECKSUM_BYTES];
    AUTO(store_machine_fini) struct store_machine machine;
    import_read_machine(node, &machine, checksum, faults);
    if (faults->count == 0)
        bundle_write_machine(written, &machine, checksum);
}

static void take_case(const struct json_node *node, struct text *written, struct faults *faults)
{
    char checksum[BUNDLE_CHECKSUM_BYTES];
    struct store_case one;
    import_read_case(node, 0, &one, checksum, faults);
    if (faults->count == 0)
        bundle_write_case(written, &one, checksum);
}

static void read_twice(const struct json_node *node,
                       void (*take)(const struct json_node *, struct text *, struct faults *))
{
    struct faults faults = {.count = 0};
    AUTO(text_fini) struct text first = TEXT_EMPTY, second = TEXT_EMPTY;
    take(node, &first, &faults);
    if (faults.count > 0)
        return;
    AUTO(json_cleanup) struct json_node *again = json_parse(text_string(&first), first.length, NULL);
    take(again, &second, &faults);
    if (again == NULL || faults.count > 0 || strcmp(text_string(&first), text_string(&second)) != 0)
        abort();
}

static int take_part(void *context, const struct import_part *part, struct err *err)
{
    struct text *all = context;
    (void)err;
    text_printf(all, "%s %d %lld ", part->name, part->is_element, (long long)part->index);
    text_append_bytes(all, part->bytes, part->length);
    AUTO(json_cleanup) struct json_node *node = json_parse(part->bytes, part->length, NULL);
    if (node == NULL)
        return 0;
    read_twice(node, take_trial);
    read_twice(node, take_run);
    read_twice(node, take_machine);
    read_twice(node, take_case);
    return 0;
}

static int split(const uint8_t *data, size_t size, size_t portion, struct text *all)
{
    struct import_split splitter = {.part = take_part, .context = all};
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += portion)
        result = import_split_take(&splitter, (const char *)data + at,
                                   portion < size - at ? portion : size - at, NULL);
    if (result == 0)
        result = import_split_end(&splitter, NULL);
    import_split_fini(&splitter);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(text_fini) struct text whole = TEXT_EMPTY, pieces = TEXT_EMPTY;
    size_t portion = size > 0 ? 1 + data[size - 1] % 16u : 1;
    int first = split(data, size, size > 0 ? size : 1, &whole);
    int second = split(data, size, portion, &pieces);
    if (first != second || strcmp(text_string(&whole), text_string(&pieces)) != 0)
        abort();
    return 0;
}
