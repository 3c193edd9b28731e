-- Attempts at labs, and checks of claims. Whatever is JSON here was written by the server or passed its strict
-- parser. As with runs, the long part of an attempt stands beside the row that lists read.

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    lab TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    created_ms INTEGER NOT NULL,
    started_ms INTEGER,
    finished_ms INTEGER,
    machine_id INTEGER REFERENCES machine (id), -- NULL: not started yet
    student TEXT NOT NULL,
    class TEXT NOT NULL COLLATE NOCASE, -- the group it was made in
    parameters TEXT NOT NULL, -- JSON object, complete
    prediction TEXT NOT NULL, -- JSON {answer, reason}, or null
    outcome TEXT NOT NULL DEFAULT 'null', -- JSON
    agrees INTEGER CHECK (agrees IN (0, 1)), -- NULL: nothing was predicted, or nothing came out
    result TEXT NOT NULL DEFAULT 'null', -- JSON object: evidence, explanation, claims, what was skipped
    cause TEXT NOT NULL DEFAULT '' -- why it failed
) STRICT;
CREATE INDEX attempt_by_lab ON attempt (lab);
CREATE INDEX attempt_under_way ON attempt (state) WHERE state IN ('queued', 'running');
CREATE INDEX attempt_by_machine ON attempt (machine_id);

CREATE TABLE attempt_record (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempt (id) ON DELETE CASCADE,
    record TEXT NOT NULL -- JSON object: workers, states, panels, timeline
) STRICT;

CREATE TABLE claim_check (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    claim INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    created_ms INTEGER NOT NULL,
    started_ms INTEGER,
    finished_ms INTEGER,
    machine_id INTEGER REFERENCES machine (id),
    verdict TEXT CHECK (verdict IN ('holds', 'conditional', 'does_not_hold', 'inconclusive', 'skipped')),
    result TEXT NOT NULL DEFAULT 'null', -- JSON object: evidence, why, repeats, what was skipped
    cause TEXT NOT NULL DEFAULT '',
    CHECK ((state = 'done') = (verdict IS NOT NULL))
) STRICT;
CREATE INDEX claim_check_by_claim ON claim_check (claim);
CREATE INDEX claim_check_by_machine ON claim_check (machine_id, claim);
CREATE INDEX claim_check_under_way ON claim_check (state) WHERE state IN ('queued', 'running');
