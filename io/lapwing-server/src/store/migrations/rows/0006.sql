INSERT INTO groups (name, filter, purpose, revision) VALUES ('lab', NULL, 'testing', 1);
INSERT INTO group_devices (group_name, device) VALUES ('lab', 'sensor-1');
INSERT INTO plans (name, revision, plan, made) VALUES ('slow', 1, '{}', 72);
INSERT INTO rollouts (state, revision, granted, saved, made) VALUES ('cancelled', 3, 1, '{}', 73);
INSERT INTO rollout_history (rollout, time, name, words, evidence) VALUES (1, 74, 'rollout.cancelled', 'It is cancelled now.', NULL);
