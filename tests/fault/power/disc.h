/* disc: the files of a directory as a loss of power may leave them.
 *
 * Of a file what was synced is there, and of what was written since nothing, all, some calls, some sectors,
 * or all up to a torn one; of the directory what was synced and some first part of what was done since. The
 * model is SQLite's own (https://sqlite.org/atomiccommit.html): a sector is written whole or not, and no byte
 * changes that was not written.
 *
 * A disc is made of deeds (recorder.h), which it borrows, and of chance (random.h). It lies in memory until
 * disc_put. Without memory, or room for a name, the program ends. */
#ifndef IPCLAB_TESTS_FAULT_POWER_DISC_H
#define IPCLAB_TESTS_FAULT_POWER_DISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fault/power/recorder.h"

struct disc_file {
    unsigned char *bytes;
    size_t length, capacity;
    size_t unsynced_from; /* deeds from this one on are not */
};

struct disc_entry {
    char name[DEED_NAME_BYTES];
    int file; /* -1 = free */
};

struct disc {
    const struct deeds *deeds;
    size_t end; /* deeds from this one on never were */
    struct disc_file files[DEED_FILES_MAX];
    struct disc_entry entries[DEED_FILES_MAX];
    size_t entries_unsynced_from;
};

/* What was synced before deed number end; nothing on a disc that forgets to sync. */
void disc_init(struct disc *disc, const struct deeds *deeds, size_t end, bool syncs);
void disc_fini(struct disc *disc);
/* Adds what the loss leaves of the rest. What was done to the directory is kept in its order, as by a
 * journal. */
void disc_lose_power(struct disc *disc, uint64_t *random);
/* Makes the directory, with the files as the next start finds them. */
void disc_put(const struct disc *disc, const char *directory);

#endif
