/* report: the child's side of report_child.h. `ipclab answer DATA TARGET` answers one GET from the archive on
 * standard output and ends.
 *
 * The output is a file: the body, which may go there before it is complete, then a head:
 *
 *     200 application/json "etag"
 *     Link: </api/v1/…>; rel="next"          any number of fields
 *     00000000000000000009                   where the head begins, in REPORT_OFFSET_DIGITS digits
 * The tag is - if there is none. A 200 without a tag gets one, unless its body is too long to be held in
 * memory.
 *
 * In the child the app has an archive to read and nothing else: no loop, runner, machine or catalogue. */
#ifndef IPCLAB_SERVER_REPORT_H
#define IPCLAB_SERVER_REPORT_H

#include "common/err.h"

enum { REPORT_OFFSET_DIGITS = 20 };

/* A refusal is an answer, too; an error is when none could be written. */
int report_write(const char *data, const char *target, struct err *err);

#endif
