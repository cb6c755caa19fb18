INSERT INTO webhooks (name, url, secret, events, place, failures, due, paused, last, made) VALUES ('board', 'https://example.com/hook', X'efef', 'update.*', 2, 0, 70, 0, '', 69);
INSERT INTO dead_letters (webhook, event, time, last) VALUES ('board', 1, 71, 'timed out');
