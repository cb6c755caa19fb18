INSERT INTO contexts (number, device) VALUES (1, 'alpha');
