/* recorder: what is done to the files of one directory, call by call.
 *
 * Its own open, pwrite, ftruncate, rename, unlink and fsync stand in front of libc's (calls.h), in every
 * program it is linked to. From recorder_start to recorder_stop each change goes on a list of deeds, once it
 * has succeeded. A sync is noted, and the real disc never waited for.
 *
 * Left out are files that do not outlive a loss of power: SQLite makes the log's index anew, and the lock is
 * empty. There is one recorder, as there is one libc. What it cannot note ends the program. Threads: one. */
#ifndef IPCLAB_TESTS_FAULT_POWER_RECORDER_H
#define IPCLAB_TESTS_FAULT_POWER_RECORDER_H

#include <stddef.h>

enum { DEED_NAME_BYTES = 64, DEED_FILES_MAX = 32 };

enum deed_kind {
    DEED_CREATE,         /* name, file */
    DEED_UNLINK,         /* name */
    DEED_RENAME,         /* name to to */
    DEED_SYNC_DIRECTORY, /* */
    DEED_WRITE,          /* file, offset, length, bytes */
    DEED_TRUNCATE,       /* file, length */
    DEED_SYNC,           /* file */
    DEED_MARK,           /* mark: no call, but what recorder_mark was told */
};

struct deed {
    enum deed_kind kind;
    int file; /* each creation makes another one, from 0; -1 = it is about none */
    char name[DEED_NAME_BYTES], to[DEED_NAME_BYTES];
    size_t offset, length;
    unsigned char *bytes;
    size_t mark;
};

struct deeds {
    struct deed *list;
    size_t count, capacity;
    int files; /* that were made */
};

/* directory: need not exist yet. */
void recorder_start(const char *directory);
void recorder_stop(void);
/* Notes between two calls that something has come to pass. */
void recorder_mark(size_t mark);
/* So far; valid until recorder_free, its list until the next deed. */
const struct deeds *recorder_deeds(void);
void recorder_free(void);

/* How many are of this kind, from this one on. */
size_t deeds_count(const struct deeds *deeds, enum deed_kind kind, size_t from);

#endif
