-- What became of an attempt's timeline.

ALTER TABLE attempt ADD COLUMN record_dropped_ms INTEGER; -- NULL: what there was is there
