/* names: what a crew creates outside its own directory, written down before it is created.
 *
 * The kernel frees everything a caged crew leaves. Without a cage a crew that is killed between creating and
 * removing a name would leave it for ever, so open writes a line "MECHANISM NAME" to DIRECTORY/names first,
 * and `ipclab-worker sweep DIRECTORY` removes what the lines say. A line may name something that was never
 * created, or is long gone: each mechanism's remove_name checks that the object is the one recorded. */
#ifndef IPCLAB_WORKERS_NAMES_H
#define IPCLAB_WORKERS_NAMES_H

#include <stddef.h>

#include "common/err.h"

/* The name must not contain a newline. */
__attribute__((format(printf, 4, 5))) int names_record(const char *directory, const char *mechanism,
                                                       struct err *err, const char *format, ...);

/* "/ipclab-" and 32 random hexadecimal digits: a name for a POSIX object, which nobody else can have. */
int names_random(char *name, size_t name_bytes, struct err *err);

/* Leader, when its workers are gone: removes every recorded name that is still there, and the record. */
int names_clear(const char *directory, struct err *err);

/* Removes every recorded name, then the directory and the files in it. A directory that is gone already is
 * fine. The first failure is returned; the rest is still tried. */
int names_sweep(const char *directory, struct err *err);

#endif
