INSERT INTO tokens (name, hash, role, made, expires, last_used) VALUES ('ci', X'abababababababababababababababababababababababababababababababab', 'viewer', 61, NULL, 62);
INSERT INTO audit (number, time, who, role, action, subject, why, was, became, digest) VALUES (1, 63, 'ci', 'viewer', 'device.pinned', 'alpha', NULL, '{}', '{"a":1}', X'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd');
INSERT INTO access (time, device, address, request, status) VALUES (64, 'alpha', '127.0.0.1', 'POST /v1/report', 204);
