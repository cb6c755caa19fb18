INSERT INTO contexts (id, device) VALUES (1, 'alpha');
