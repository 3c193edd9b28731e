/* Any bytes as an HdrHistogram. Holds: buckets come in order, none twice, all with values within int64_t.
 * Half of the inputs skip base64, which hides everything from a fuzzer. */
#include <stdlib.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "server/export_hdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *context, int64_t low, int64_t last, uint64_t count)
{
    int64_t *previous = context;
    if (low <= *previous || last < low || count == 0)
        abort();
    *previous = last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct export_hdr_layout layout;
    int64_t previous = -1;
    AUTO(text_fini) struct text base64 = TEXT_EMPTY;
    if (size > 0 && data[0] % 2 == 0)
        bytes_append_base64(&base64, data + 1, size - 1);
    else
        text_append_bytes(&base64, data, size);
    export_hdr_decode(text_string(&base64), base64.length, &layout, look, &previous, NULL);
    return 0;
}
