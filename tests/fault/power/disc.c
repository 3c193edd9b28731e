#include "tests/fault/power/disc.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/random.h"
#include "tests/support/scratch.h"

enum { SECTOR_BYTES = 512 };

/* ---- a file ---- */

static void file_resize(struct disc_file *file, size_t length)
{
    if (length > file->capacity) {
        file->capacity = 2 * length;
        file->bytes = realloc(file->bytes, file->capacity);
        if (file->bytes == NULL)
            errx(EXIT_FAILURE, "disc: no memory");
    }
    if (length > file->length)
        memset(file->bytes + file->length, 0, length - file->length);
    file->length = length;
}

static void file_put(struct disc_file *file, const struct deed *deed, size_t from, size_t to)
{
    if (deed->offset + to > file->length)
        file_resize(file, deed->offset + to);
    memcpy(file->bytes + deed->offset + from, deed->bytes + from, to - from);
}

/* Deeds that are no change of a file change nothing here. */
static void file_change(struct disc_file *file, const struct deed *deed)
{
    if (deed->kind == DEED_TRUNCATE)
        file_resize(file, deed->length);
    if (deed->kind == DEED_WRITE)
        file_put(file, deed, 0, deed->length);
}

/* ---- the directory ---- */

static struct disc_entry *entry_find(struct disc_entry *entries, const char *name)
{
    for (int i = 0; i < DEED_FILES_MAX; i++)
        if (name != NULL ? entries[i].file >= 0 && strcmp(entries[i].name, name) == 0 : entries[i].file < 0)
            return &entries[i];
    return NULL;
}

static void entry_remove(struct disc_entry *entries, const char *name)
{
    struct disc_entry *entry = entry_find(entries, name);
    if (entry != NULL)
        entry->file = -1;
}

static void entry_add(struct disc_entry *entries, const char *name, int file)
{
    entry_remove(entries, name);
    struct disc_entry *entry = entry_find(entries, NULL);
    if (entry == NULL)
        errx(EXIT_FAILURE, "disc: no room for the file %s", name);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->file = file;
}

/* Deeds that are no change of the directory change nothing here. */
static void entries_change(struct disc_entry *entries, const struct deed *deed)
{
    if (deed->kind == DEED_CREATE)
        entry_add(entries, deed->name, deed->file);
    if (deed->kind == DEED_UNLINK)
        entry_remove(entries, deed->name);
    if (deed->kind == DEED_RENAME) {
        const struct disc_entry *entry = entry_find(entries, deed->name);
        if (entry != NULL)
            entry_add(entries, deed->to, entry->file);
        entry_remove(entries, deed->name);
    }
}

/* ---- what was synced ---- */

static void sync_file(struct disc *disc, int number, size_t end)
{
    struct disc_file *file = &disc->files[number];
    for (; file->unsynced_from < end; file->unsynced_from++)
        if (disc->deeds->list[file->unsynced_from].file == number)
            file_change(file, &disc->deeds->list[file->unsynced_from]);
}

static void sync_directory(struct disc *disc, size_t end)
{
    for (; disc->entries_unsynced_from < end; disc->entries_unsynced_from++)
        entries_change(disc->entries, &disc->deeds->list[disc->entries_unsynced_from]);
}

void disc_init(struct disc *disc, const struct deeds *deeds, size_t end, bool syncs)
{
    *disc = (struct disc){.deeds = deeds, .end = end};
    for (int i = 0; i < DEED_FILES_MAX; i++)
        disc->entries[i].file = -1;
    for (size_t i = 0; i < end && syncs; i++) {
        if (deeds->list[i].kind == DEED_SYNC)
            sync_file(disc, deeds->list[i].file, i);
        if (deeds->list[i].kind == DEED_SYNC_DIRECTORY)
            sync_directory(disc, i);
    }
}

void disc_fini(struct disc *disc)
{
    for (int i = 0; i < DEED_FILES_MAX; i++)
        free(disc->files[i].bytes);
}

/* ---- what was not ---- */

/* What is left of the calls since the last sync. */
enum loss { LOSS_ALL, LOSS_NOTHING, LOSS_CALLS, LOSS_SECTORS, LOSS_TAIL, LOSS_COUNT };

/* Sectors as the disc counts them, from the start of the file, not of the call. */
static void put_sectors(struct disc_file *file, const struct deed *deed, bool until_torn, uint64_t *random)
{
    for (size_t from = 0, to; from < deed->length; from = to) {
        to = from + SECTOR_BYTES - (deed->offset + from) % SECTOR_BYTES;
        to = to < deed->length ? to : deed->length;
        if (random_below(random, 2) == 0)
            file_put(file, deed, from, to);
        else if (until_torn)
            return;
    }
}

static void lose_calls(struct disc *disc, int number, enum loss loss, uint64_t *random)
{
    struct disc_file *file = &disc->files[number];
    size_t from = file->unsynced_from, end = disc->end;
    size_t torn = loss == LOSS_TAIL ? from + random_below(random, end - from + 1) : end;
    for (size_t i = from; i < end && i <= torn; i++) {
        const struct deed *deed = &disc->deeds->list[i];
        if (deed->file != number || (loss == LOSS_CALLS && random_below(random, 2) == 0))
            continue;
        if (deed->kind == DEED_WRITE && (loss == LOSS_SECTORS || i == torn))
            put_sectors(file, deed, loss == LOSS_TAIL, random);
        else if (deed->kind != DEED_TRUNCATE || loss != LOSS_SECTORS || random_below(random, 2) == 0)
            file_change(file, deed);
    }
}

void disc_lose_power(struct disc *disc, uint64_t *random)
{
    size_t left = disc->end - disc->entries_unsynced_from;
    size_t kept = disc->entries_unsynced_from + random_below(random, left + 1);
    if (random_below(random, 2) == 0)
        kept = disc->end;
    sync_directory(disc, kept);
    enum loss loss = (enum loss)random_below(random, LOSS_COUNT);
    for (int i = 0; i < disc->deeds->files && loss != LOSS_ALL; i++)
        lose_calls(disc, i, loss, random);
}

void disc_put(const struct disc *disc, const char *directory)
{
    mkdir(directory, 0700);
    for (int i = 0; i < DEED_FILES_MAX; i++) {
        const struct disc_entry *entry = &disc->entries[i];
        char path[SCRATCH_FILE_BYTES + DEED_NAME_BYTES];
        snprintf(path, sizeof path, "%s/%s", directory, entry->name);
        if (entry->file >= 0)
            scratch_write(path, disc->files[entry->file].bytes, disc->files[entry->file].length);
    }
}
