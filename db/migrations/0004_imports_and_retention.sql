-- Runs that were taken elsewhere, what became of a run's larger parts, and a checksum of every trial.

ALTER TABLE run ADD COLUMN imported_ms INTEGER; -- NULL: taken here. 0: still coming in, nobody sees it
ALTER TABLE run ADD COLUMN series_dropped_ms INTEGER; -- NULL: what there was is there
ALTER TABLE run ADD COLUMN histograms_dropped_ms INTEGER;
CREATE INDEX run_incoming ON run (id) WHERE imported_ms = 0;
CREATE INDEX run_deleted ON run (deleted_ms) WHERE deleted_ms IS NOT NULL;

-- Over all other columns but the id (db/checksum.c). A blob has its own, inside.
ALTER TABLE trial ADD COLUMN checksum INTEGER; -- NULL: archived before there was one
