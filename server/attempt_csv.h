/* attempt_csv: a class's attempts at one lab as a table (RFC 4180), a row each.
 *
 * What people typed may begin like a formula; a spreadsheet that opens the file must not compute it, so such
 * a cell gets an apostrophe in front (OWASP, "CSV Injection"). Pure. */
#ifndef IPCLAB_SERVER_ATTEMPT_CSV_H
#define IPCLAB_SERVER_ATTEMPT_CSV_H

#include "common/text.h"
#include "db/store_activities.h"

/* The header is written with the first attempt, whose parameters become columns. Begins as all zeros. */
struct attempt_csv {
    struct text out;
    size_t column_count;
    char columns[16][32]; /* names of parameters */
    bool has_header;
};

void attempt_csv_append(struct attempt_csv *csv, const struct store_attempt *attempt);
/* The header, for a table without a row. */
void attempt_csv_finish(struct attempt_csv *csv);

#endif
