INSERT INTO changes (what, number) VALUES ('devices', 4);
UPDATE devices SET generation = 2, changed = 4 WHERE id = 'Zulu';
