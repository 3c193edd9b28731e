-- What disturbed a trial, at which rate a paced one went, and what measuring cost when the run began.

ALTER TABLE trial ADD COLUMN achieved_hz REAL; -- paced only
ALTER TABLE trial ADD COLUMN steal_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trial ADD COLUMN load REAL; -- NULL: not known, or older than this column
ALTER TABLE trial ADD COLUMN frequency_hz REAL;

ALTER TABLE run_document ADD COLUMN overhead TEXT NOT NULL DEFAULT 'null'; -- JSON object, or null
