/* report: the child's side of report_child.h. `ipclab answer DATA TARGET` answers one GET from the archive on
 * standard output and ends.
 *
 * The output is a head, the body follows:
 *
 *     200 application/json "etag"
 *     Link: </api/v1/…>; rel="next"          any number of fields
 *                                            an empty line
 * The tag is - if there is none. A 200 without a tag gets one.
 *
 * In the child the app has an archive to read and nothing else: no loop, runner, machine or catalogue. */
#ifndef IPCLAB_SERVER_REPORT_H
#define IPCLAB_SERVER_REPORT_H

#include "common/err.h"

/* A refusal is an answer, too; an error is when none could be written. */
int report_write(const char *data, const char *target, struct err *err);

#endif
