-- So many rows that reading all of a table would be noticed; few of them wait or run, as in a horde.

INSERT INTO users (id, username, key_hash, created_at, concurrency, kudos)
SELECT n, 'x', 'h' || n, 0, 30, n
FROM generate_series(100, 3000) AS n;

INSERT INTO workers (id, user_id, name, kind, created_at, seen_at, offer)
SELECT 'w' || n, n, 'name' || n, 'image', 0, n, '{}'
FROM generate_series(100, 2000) AS n;

INSERT INTO lanes (lane_key, requirement)
SELECT decode(md5(n::text), 'hex'), '{"kind": "image", "pixels": 1}'
FROM generate_series(0, 5000) AS n;

INSERT INTO requests (id, user_id, kind, state, lane_key, "rank", created_at, expires_at, waiting, work, price, bill, ttl_ms, seed_step, wants_links, is_upfront, body)
SELECT 'r' || n, 100 + n % 2900, 'image', 'open', decode(md5((n % 5000)::text), 'hex'), n, 0, 2000000000000 + n, CASE WHEN n % 100 = 0 THEN 1 ELSE 0 END, 1, 1, 1, 1, 0, 0, CASE WHEN n % 50 = 0 THEN 1 ELSE 0 END, ''
FROM generate_series(100, 6000) AS n;

INSERT INTO jobs (id, request_id, worker_id, worker_name, owner_id, ordinal, state, model, seed, started_at, due_at, has_agent)
SELECT 'j' || n, 'r' || n, 'w' || n, 'w', 100, 0, CASE WHEN n % 200 = 0 THEN 'running' ELSE 'done' END, 'm', 1, 0, 2000000000000 + n, 1
FROM generate_series(100, 6000) AS n;

INSERT INTO totals (subject, name, amount)
SELECT 'user:' || n, 'used', 1
FROM generate_series(100, 6000) AS n;

INSERT INTO suspicions (subject, reason, times, newest_at)
SELECT 'user:' || n, 'x', 1, 0
FROM generate_series(100, 3000) AS n;

INSERT INTO transfers (id, source_id, target_id, amount, created_at)
SELECT 't' || n, n, n, 1, n
FROM generate_series(100, 3000) AS n;

INSERT INTO answers (scope, key_hash, fingerprint, reply, created_at)
SELECT 's', 'k' || n, 'x', '', 2000000000000 + n
FROM generate_series(100, 3000) AS n;

INSERT INTO samples
SELECT step_s, 1760000000000 - (1760000000000 % (step_s * 1000)) - n * step_s * 1000, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
FROM (VALUES (60::bigint, 120), (300, 2592), (21600, 160), (86400, 400)) AS kept (step_s, steps), generate_series(1, steps) AS n;

INSERT INTO acts (id, created_at, actor_id, operation, target_kind, target_id, target_name, changes)
SELECT 'a' || n, n, n, 'operation' || n, 'user', n, 'x', '[]'
FROM generate_series(100, 6000) AS n;

INSERT INTO learnt (deltas)
SELECT '[]'
FROM generate_series(1, 100);

INSERT INTO deliveries (id, user_id, request_id, event, url, host, body, state, created_at, due_at)
SELECT 'd' || n, n, 'r' || n, 'generation', 'https://x', 'h' || n % 50, '{}', CASE WHEN n % 20 = 0 THEN 'waiting' ELSE 'delivered' END, 2000000000000 + n, 2000000000000 + n
FROM generate_series(100, 6000) AS n;

INSERT INTO attempts (delivery_id, number, began_at, took_ms)
SELECT 'd' || n, 1, 0, 0
FROM generate_series(100, 6000) AS n;

INSERT INTO identities (issuer, subject, id, user_id, created_at)
SELECT 'i', 's' || n, 'i' || n, n, 0
FROM generate_series(100, 3000) AS n;

INSERT INTO sign_ins (key_hash, user_id, created_at, expires_at)
SELECT 'h1:' || n, n, n, 2000000000000 + n
FROM generate_series(100, 3000) AS n;

INSERT INTO entries (id, event, created_at)
SELECT 'e' || n, 'admin:' || n, n
FROM generate_series(100, 6000) AS n;

INSERT INTO lines (entry_id, number, account, user_id, amount, action, place, balance)
SELECT 'e' || n, 0, 'user', 100 + n % 100, 1, 'admin', n / 100, n
FROM generate_series(100, 6000) AS n;

INSERT INTO lines (entry_id, number, account, user_id, amount, action)
SELECT 'e' || n, 1, 'mint', NULL, -1, 'admin'
FROM generate_series(100, 6000) AS n;

ANALYZE;
