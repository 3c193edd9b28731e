-- The archive's first schema.
--
-- Words are those of common/words.h. _ms are wall-clock milliseconds since 1970, _ns durations. NULL is "no
-- value" or "not yet". The narrow table `run` holds what lists filter and sort by; the long documents of a run
-- stand beside it, so that scanning ten thousand runs touches few pages. Likewise the blobs of a trial, which
-- retention drops first, stand beside its summary.

CREATE TABLE machine (
    id INTEGER PRIMARY KEY,
    comparable_hash TEXT NOT NULL,
    full_hash TEXT NOT NULL UNIQUE,
    facts TEXT NOT NULL
) STRICT;

CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never used twice, so a link never changes its meaning
    uid TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),
    created_ms INTEGER NOT NULL,
    started_ms INTEGER,
    finished_ms INTEGER,
    trials_total INTEGER NOT NULL CHECK (trials_total >= 0),
    trials_done INTEGER NOT NULL DEFAULT 0,
    trials_failed INTEGER NOT NULL DEFAULT 0,
    pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    deleted_ms INTEGER,
    rev INTEGER NOT NULL DEFAULT 1,
    experiment_hash TEXT NOT NULL,
    machine_id INTEGER REFERENCES machine (id),
    name TEXT NOT NULL COLLATE NOCASE,
    tags TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;

-- One measured crew at a time: a second running run is refused by the archive itself.
CREATE UNIQUE INDEX run_running ON run (state) WHERE state = 'running';
CREATE INDEX run_waiting ON run (state, id) WHERE state IN ('queued', 'interrupted');
CREATE INDEX run_by_name ON run (name, id) WHERE deleted_ms IS NULL;
CREATE INDEX run_by_machine ON run (machine_id);
CREATE INDEX run_by_experiment ON run (experiment_hash, id);

CREATE TABLE run_document (
    run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    experiment TEXT NOT NULL,
    isolation TEXT NOT NULL,
    skipped TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;

-- Each tag once: searching tags for a text reads some dozens of rows, not one for every run.
CREATE TABLE tag (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE run_tag (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tag (id),
    PRIMARY KEY (run_id, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_tag_by_tag ON run_tag (tag_id, run_id);

CREATE TABLE run_case (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    mechanism TEXT NOT NULL,
    pattern TEXT NOT NULL,
    message_bytes INTEGER NOT NULL,
    wait TEXT NOT NULL,
    placement TEXT NOT NULL,
    relation TEXT NOT NULL,
    senders INTEGER NOT NULL,
    receivers INTEGER NOT NULL,
    buffer_bytes INTEGER, -- NULL: the mechanism's own choice
    rate_hz REAL,         -- paced only
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

-- The mechanisms of a run once each, for the filter: a thorough run has dozens of cases of one mechanism.
CREATE TABLE run_mechanism (
    mechanism TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    PRIMARY KEY (mechanism, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_mechanism_by_run ON run_mechanism (run_id);

CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    body_hash TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_ms);
CREATE INDEX idempotency_by_run ON idempotency (run_id);

CREATE TABLE trial (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    case_number INTEGER NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    done INTEGER NOT NULL CHECK (done IN (0, 1)),
    settles INTEGER NOT NULL CHECK (settles IN (0, 1)),
    cause TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    duration_ns INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    system_calls INTEGER NOT NULL,
    latency_p50_ns REAL,
    latency_p90_ns REAL,
    latency_p99_ns REAL,
    latency_p999_ns REAL,
    latency_min_ns REAL,
    latency_max_ns REAL,
    messages_per_s REAL,
    bytes_per_s REAL,
    cpu_user_ns INTEGER NOT NULL,
    cpu_system_ns INTEGER NOT NULL,
    voluntary_switches INTEGER NOT NULL,
    involuntary_switches INTEGER NOT NULL,
    minor_faults INTEGER NOT NULL,
    major_faults INTEGER NOT NULL,
    run_delay_ns INTEGER NOT NULL,
    gap_ns_max INTEGER NOT NULL,
    buffer_bytes INTEGER NOT NULL,
    autocorrelation REAL,
    drift_ratio REAL,
    lost INTEGER NOT NULL,
    torn INTEGER NOT NULL,
    duplicated INTEGER NOT NULL,
    reordered INTEGER NOT NULL,
    distance TEXT, -- NULL: unknown
    distances_ns BLOB NOT NULL CHECK (length(distances_ns) % 8 = 0), -- little-endian doubles
    flags TEXT NOT NULL, -- words separated by spaces
    UNIQUE (run_id, sequence, attempt),
    FOREIGN KEY (run_id, case_number) REFERENCES run_case (run_id, number)
) STRICT;
CREATE INDEX trial_by_run ON trial (run_id); -- and by id within it: SQLite ends every index with the rowid

CREATE TABLE trial_histogram (
    trial_id INTEGER PRIMARY KEY REFERENCES trial (id) ON DELETE CASCADE,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE trial_series (
    trial_id INTEGER PRIMARY KEY REFERENCES trial (id) ON DELETE CASCADE,
    bytes BLOB NOT NULL
) STRICT;
