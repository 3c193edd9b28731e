-- Runs of one experiment on one machine, in the order they were taken: trends read along it, and what there are
-- trends of is counted from it alone.

DROP INDEX run_by_experiment;
CREATE INDEX run_series ON run (experiment_hash, machine_id, id, created_ms)
    WHERE state = 'done' AND deleted_ms IS NULL;
