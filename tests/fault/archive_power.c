/* archive_power: the power goes while the archive is written, at any call, and what was acknowledged is
 * there.
 *
 * Every change of the archive's directory is noted while runs and trials are archived (power/recorder.h).
 * Afterwards discs are made from the notes as a loss of power may leave them at some call (power/disc.h).
 * From each the archive must open, be whole, hold all that was acknowledged before, and take another run.
 *
 * The control is the same with a disc that forgets to sync, as with PRAGMA synchronous=OFF: were it not found
 * out, the others would show nothing.
 *
 * IPCLAB_DISCS = how many (default 160), IPCLAB_SEED = other ones (default 1). Closing line on standard
 * output, exit 0 when all is well. */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "db/store.h"
#include "tests/fault/power/disc.h"
#include "tests/fault/power/recorder.h"
#include "tests/support/archive.h"
#include "tests/support/random.h"
#include "tests/support/scratch.h"

enum { DISCS = 160, CONTROLS = 40, CONTROL_PERCENT_MIN = 5, ACKNOWLEDGED_MAX = 1024 };

/* A run with this many changes, and of its trials this one, if any. */
struct acknowledged {
    int64_t run_id, rev, sequence;
    uint32_t checksum;
};

/* Commits that were reported to have happened; the recorder marks when. */
struct ledger {
    struct acknowledged items[ACKNOWLEDGED_MAX];
    size_t count;
};

/* ---- what is archived meanwhile ---- */

enum { TRIALS_A_RUN = 4, SAMPLES = 400, NOTE_BYTES = 60000 };

static void must(int rc, const char *what, const struct err *err)
{
    if (rc < 0)
        errx(EXIT_FAILURE, "archive_power: %s: %s", what, err->text);
}

static void acknowledge(struct ledger *ledger, struct store *store, int64_t run_id,
                        const struct store_trial *trial)
{
    struct err err = {0};
    struct store_run run;
    must(store_run_get(store, run_id, &run, &err), "read a run", &err);
    if (ledger->count == ACKNOWLEDGED_MAX)
        errx(EXIT_FAILURE, "archive_power: more commits than the ledger has room for");
    recorder_mark(ledger->count);
    struct acknowledged *acknowledged = &ledger->items[ledger->count++];
    *acknowledged = (struct acknowledged){.run_id = run_id, .rev = run.rev, .sequence = -1};
    if (trial != NULL) {
        acknowledged->sequence = trial->sequence;
        acknowledged->checksum = bytes_crc32(trial->histogram.bytes, trial->histogram.length);
    }
    store_run_fini(&run);
}

static void archive_one_run(struct ledger *ledger, struct store *store)
{
    struct err err = {0};
    struct store_run_change start = {.state = RUN_RUNNING}, end = {.state = RUN_DONE};
    int64_t id = archive_add_run(store, "powered", &err);
    must(id < 0 ? -1 : 0, "insert a run", &err);
    acknowledge(ledger, store, id, NULL);
    must(store_run_change(store, id, &start, &err), "start a run", &err);
    for (int64_t i = 0; i < TRIALS_A_RUN; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(id, i, SAMPLES);
        must(store_trial_insert(store, &trial, true, i == TRIALS_A_RUN - 1 ? &end : NULL, &err),
             "insert a trial", &err);
        acknowledge(ledger, store, id, &trial);
    }
}

/* Changes until one has the log written into the file: SQLite syncs the log for each, and the file then. */
static void fill_log(struct ledger *ledger, struct store *store, int64_t run_id)
{
    static char text[NOTE_BYTES + 1];
    struct store_run_patch patch = {.note = text, .pinned = -1};
    struct err err = {0};
    const struct deeds *deeds = recorder_deeds();
    size_t from = deeds->count;
    for (char letter = 'a'; deeds_count(deeds, DEED_SYNC, from) < 2; letter = letter == 'a' ? 'b' : 'a') {
        memset(text, letter, NOTE_BYTES); /* all of its pages change */
        from = deeds->count;
        must(store_run_patch(store, run_id, 0, &patch, &err), "patch a run", &err);
        acknowledge(ledger, store, run_id, NULL);
    }
}

/* A new archive; one that was closed; a log that is written into the file and begun again. */
static void archive(struct ledger *ledger, const char *directory)
{
    enum { SESSIONS = 2, RUNS_A_SESSION = 2 };
    for (int session = 0; session < SESSIONS; session++) {
        struct store *store = NULL;
        struct err err = {0};
        must(store_open(directory, &store, &err), "open", &err);
        for (int i = 0; i < RUNS_A_SESSION; i++)
            archive_one_run(ledger, store);
        if (session > 0) {
            fill_log(ledger, store, 1);
            archive_one_run(ledger, store);
        }
        store_close(store);
    }
}

/* ---- what the next start makes of it ---- */

struct search {
    const struct acknowledged *wanted;
    bool found;
};

static int look_at(void *context, const struct store_trial *trial)
{
    struct search *search = context;
    uint32_t checksum = bytes_crc32(trial->histogram.bytes, trial->histogram.length);
    search->found |= trial->sequence == search->wanted->sequence && checksum == search->wanted->checksum;
    return 0;
}

static bool is_kept(struct store *store, const struct acknowledged *wanted)
{
    struct err err = {0};
    struct store_run run;
    if (store_run_get(store, wanted->run_id, &run, &err) < 0)
        return false;
    bool is_run_kept = run.rev >= wanted->rev;
    store_run_fini(&run);
    struct search search = {.wanted = wanted};
    return is_run_kept &&
           (wanted->sequence < 0 || (store_trial_each(store, wanted->run_id, 0, 0, STORE_TRIAL_HISTOGRAM,
                                                      look_at, &search, &err) == 0 &&
                                     search.found));
}

static void keep_finding(void *context, const char *finding)
{
    err_set(context, EBADMSG, "%s", finding);
}

/* 0, or what is wrong in *err. */
static int examine(struct store *store, const struct ledger *ledger, size_t end, struct err *err)
{
    int64_t findings = 0, count = 0;
    int rc = store_verify(store, keep_finding, err, &findings, err);
    if (rc < 0 || findings > 0)
        return -EBADMSG;
    for (size_t i = 0; i < end; i++) {
        const struct deed *deed = &recorder_deeds()->list[i];
        const struct acknowledged *wanted = &ledger->items[deed->mark];
        if (deed->kind == DEED_MARK && !is_kept(store, wanted))
            return err_set(err, ENOENT, "run %lld, change %lld, trial %lld is lost",
                           (long long)wanted->run_id, (long long)wanted->rev, (long long)wanted->sequence);
    }
    rc = store_run_recover(store, &count, err);
    return rc < 0 || archive_add_run(store, "afterwards", err) < 0 ? -EIO : 0;
}

static int lose_power(const struct ledger *ledger, size_t end, bool syncs, uint64_t *random, struct err *err)
{
    AUTO(scratch_fini) struct scratch scratch;
    AUTO(disc_fini) struct disc disc;
    struct store *store = NULL;
    scratch_init(&scratch);
    disc_init(&disc, recorder_deeds(), end, syncs);
    disc_lose_power(&disc, random);
    disc_put(&disc, scratch_file(&scratch, "data"));
    int rc = store_open(scratch_file(&scratch, "data"), &store, err);
    if (rc == 0)
        rc = examine(store, ledger, end, err);
    store_close(store);
    return rc;
}

/* ---- all of it ---- */

static bool ends_stretch(const struct deed *deed)
{
    return deed->kind == DEED_SYNC || deed->kind == DEED_MARK;
}

/* A call in a stretch between two syncs or acknowledgements: a short one is met as often as a long one. */
static size_t random_moment(const struct deeds *deeds, uint64_t *random)
{
    uint64_t stretch =
        random_below(random, deeds_count(deeds, DEED_SYNC, 0) + deeds_count(deeds, DEED_MARK, 0));
    size_t from = 0;
    for (; stretch > 0; from++)
        stretch -= ends_stretch(&deeds->list[from]);
    size_t to = from;
    while (!ends_stretch(&deeds->list[to]))
        to++;
    return from + random_below(random, to - from + 1) + random_below(random, 2);
}

static uint64_t environment_or(const char *name, uint64_t fallback)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : fallback;
}

int main(void)
{
    static struct ledger ledger;
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    const char *directory = scratch_file(&scratch, "data");
    recorder_start(directory);
    archive(&ledger, directory);
    recorder_stop();
    const struct deeds *deeds = recorder_deeds();
    size_t syncs = deeds_count(deeds, DEED_SYNC, 0);
    if (syncs == 0)
        errx(EXIT_FAILURE, "archive_power: the calls of SQLite went past this program");
    uint64_t random = random_seeded();
    uint64_t discs = environment_or("IPCLAB_DISCS", DISCS), lost = 0, controls_lost = 0;
    for (uint64_t i = 0; i < discs; i++) {
        struct err err = {0};
        size_t end = random_moment(deeds, &random);
        if (lose_power(&ledger, end, true, &random, &err) == 0)
            continue;
        fprintf(stderr, "archive_power: power lost before call %zu of %zu: %s\n", end, deeds->count,
                err.text);
        lost++;
    }
    for (int i = 0; i < CONTROLS; i++)
        controls_lost +=
            lose_power(&ledger, random_moment(deeds, &random), false, &random, &(struct err){0}) < 0;
    printf("archive_power: %zu calls, %zu syncs, %zu commits acknowledged; power lost %llu times: %llu discs "
           "bad; %llu of %d without syncs\n",
           deeds->count, syncs, ledger.count, (unsigned long long)discs, (unsigned long long)lost,
           (unsigned long long)controls_lost, CONTROLS);
    recorder_free();
    return lost == 0 && controls_lost * 100 > CONTROLS * CONTROL_PERCENT_MIN ? EXIT_SUCCESS : EXIT_FAILURE;
}
