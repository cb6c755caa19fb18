ALTER TABLE devices ADD COLUMN noted TEXT NOT NULL DEFAULT '{}';
ALTER TABLE attempts ADD COLUMN radio_cell INTEGER;
CREATE INDEX attempts_by_radio_cell ON attempts (radio_cell) WHERE radio_cell IS NOT NULL;
