UPDATE claim_tokens SET count = 5, made = 8;
INSERT INTO forgotten (id, secret, time) VALUES ('gone', X'9999999999999999999999999999999999999999999999999999999999999999', 60);
INSERT INTO running (device, component, image, profile) VALUES ('Zulu', 'app', X'6666666666666666', 3);
INSERT INTO hardware_names (class, name) VALUES ('ab', 'example.com/beacon');
