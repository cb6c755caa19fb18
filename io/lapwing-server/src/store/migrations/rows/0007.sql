UPDATE devices SET noted = '{"tier":"pilot"}' WHERE id = 'alpha';
UPDATE attempts SET radio_cell = 75 WHERE id = 2;
