BEGIN TRANSACTION;
CREATE TABLE acts (
        id TEXT PRIMARY KEY,
        created_at BIGINT NOT NULL,
        actor_id BIGINT NOT NULL,
        operation TEXT NOT NULL,
        target_kind TEXT NOT NULL,
        target_id TEXT NOT NULL,
        target_name TEXT NOT NULL,
        changes TEXT NOT NULL,
        reason TEXT
    );
INSERT INTO "acts" VALUES('0199c82c-c000-7117-9acd-ad076e0434bb',1760000000000,1,'put_horde_news','news','2','A new disk on Sunday.','[{"field":"newspiece","before":null,"after":"A new disk on Sunday."},{"field":"importance","before":null,"after":"Information"}]','so that people know');
INSERT INTO "acts" VALUES('0199c82c-c000-7b0b-9730-d0c4e08c4c63',1760000000000,1,'put_user_single','user','3','beke#3','[{"field":"kudos","before":0.0,"after":500.0},{"field":"trusted","before":false,"after":true}]','a friend');
INSERT INTO "acts" VALUES('0199c82c-c000-7cfa-abd4-41b6a79924da',1760000000000,1,'put_user_single','user','1','Administrator#1','[{"field":"kudos","before":30.0,"after":5030.0}]',NULL);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0010');
CREATE TABLE answers (
        scope TEXT NOT NULL,
        key_hash TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        reply BLOB NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (scope, key_hash)
    );
INSERT INTO "answers" VALUES('post_transfer_kudos:1','0000000000000000000000000000000000000000000000000000000000000000','1111111111111111111111111111111111111111111111111111111111111111',X'3230',1795490468515);
CREATE TABLE attempts (
        delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        began_at BIGINT NOT NULL,
        took_ms BIGINT NOT NULL,
        status INTEGER,
        error TEXT,
        PRIMARY KEY (delivery_id, number)
    );
INSERT INTO "attempts" VALUES('0199c82c-c000-76b1-af03-675a1600a35a',1,1760000000000,12,500,'the receiver answered 500; 200 to 299 says that it has the message');
CREATE TABLE deliveries (
        id TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        request_id TEXT NOT NULL,
        event TEXT NOT NULL,
        url TEXT NOT NULL,
        host TEXT NOT NULL,
        body TEXT NOT NULL,
        picture TEXT,
        wants_links INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'waiting',
        tries INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        taken_until BIGINT NOT NULL DEFAULT 0,
        ended_at BIGINT
    );
INSERT INTO "deliveries" VALUES('0199c82c-c000-76b1-af03-675a1600a35a',2,'0199c82c-c000-7182-892f-902bd23f0824','generation','https://bot.example/hook','bot.example','{"seed":1,"worker_id":"0199c82c-c000-70ee-9531-985d5d9dc9f8","worker_name":"attic","model":"stable_diffusion","id":"0199c82c-c000-76b1-af03-675a1600a35a","censored":false,"gen_metadata":[],"request":"0199c82c-c000-7182-892f-902bd23f0824","kudos":6.0,"event":"generation"}','0199c82c-c000-76b1-af03-675a1600a35a.webp',0,'waiting',1,1,1760000000000,1760000005000,0,NULL);
CREATE TABLE entries (
        id TEXT PRIMARY KEY,
        event TEXT NOT NULL UNIQUE,
        created_at BIGINT NOT NULL
    , worker_id TEXT, about TEXT);
INSERT INTO "entries" VALUES('0199c82c-c000-7128-8c5c-7fd0a6a3a450','admin:0199c82c-c000-7128-8c5c-7fd0a6a3a450',1760000000000,NULL,NULL);
INSERT INTO "entries" VALUES('0199c82c-c000-78d0-9738-f7d93d9c1724','settle:0199c82c-c000-76b1-af03-675a1600a35a',1760000000000,NULL,NULL);
INSERT INTO "entries" VALUES('01a20b92-52a0-7456-8e08-6cd79297ef37','admin:01a20b92-52a0-7456-8e08-6cd79297ef37',1795490468512,NULL,NULL);
INSERT INTO "entries" VALUES('01a20b92-52a0-7456-8e08-6cd79297ef37-monthly','recurring:01a20b92-52a0-7456-8e08-6cd79297ef37-monthly',1795490468512,NULL,NULL);
INSERT INTO "entries" VALUES('01a20b92-52a2-73b6-ae53-8aaa623b66ad','admin:01a20b92-52a2-73b6-ae53-8aaa623b66ad',1795490468514,NULL,NULL);
INSERT INTO "entries" VALUES('01a20b92-52a3-7a55-919f-4815966c030b','transfer:01a20b92-52a3-7a55-919f-4815966c030b',1795490468515,NULL,NULL);
INSERT INTO "entries" VALUES('0199c82c-c000-77d0-a578-0819dfd2e599','admin:0199c82c-c000-77d0-a578-0819dfd2e599',1760000000000,NULL,NULL);
INSERT INTO "entries" VALUES('0199c82c-c000-742b-a997-94b33f0ff4ce','admin:0199c82c-c000-742b-a997-94b33f0ff4ce',1760000000000,NULL,NULL);
INSERT INTO "entries" VALUES('0199c82c-c000-72b6-a056-13c03efd16d5','transfer:0199c82c-c000-72b6-a056-13c03efd16d5',1760000000000,NULL,NULL);
INSERT INTO "entries" VALUES('0199c82c-c3e8-77c4-a1cf-5ff282c631ea','settle:0199c82c-c3e8-74b4-9bb8-096178adedbc',1760000001000,'0199c82c-c3e8-7b36-aaad-4e8d94f9b37a','{"model":"stable_diffusion","width":512,"height":512}');
CREATE TABLE facts (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    );
INSERT INTO "facts" VALUES('secret fingerprint','aa4e95a935dfb0a34778fc324023086a');
CREATE TABLE identities (
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        id TEXT NOT NULL UNIQUE,
        user_id BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (issuer, subject)
    );
INSERT INTO "identities" VALUES('https://id.test','subject-1','identity-1',2,1760000000000);
CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        request_id TEXT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
        worker_id TEXT NOT NULL,
        worker_name TEXT NOT NULL,
        owner_id BIGINT NOT NULL,
        ordinal INTEGER NOT NULL,
        state TEXT NOT NULL,
        model TEXT NOT NULL,
        seed BIGINT NOT NULL,
        started_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        ended_at BIGINT,
        has_agent INTEGER NOT NULL,
        result_seed TEXT,
        censored INTEGER NOT NULL DEFAULT 0,
        metadata TEXT
    , picture TEXT);
INSERT INTO "jobs" VALUES('0199c82c-c000-76b1-af03-675a1600a35a','0199c82c-c000-7182-892f-902bd23f0824','0199c82c-c000-70ee-9531-985d5d9dc9f8','attic',2,0,'done','stable_diffusion',922121676,1760000000000,1760000150000,1760000000000,1,'1',0,NULL,'0199c82c-c000-76b1-af03-675a1600a35a.0badcafe.webp');
INSERT INTO "jobs" VALUES('0199c82c-c000-71fa-90c1-92cfd3ac94af','0199c82c-c000-7182-892f-902bd23f0824','0199c82c-c000-70ee-9531-985d5d9dc9f8','attic',2,1,'faulted','stable_diffusion',1823296038,1760000000000,1760000150000,1760000160000,1,NULL,0,NULL,NULL);
INSERT INTO "jobs" VALUES('0199c82c-c3e8-74b4-9bb8-096178adedbc','0199c82c-c000-7f88-b110-e3467f5a3747','0199c82c-c3e8-7b36-aaad-4e8d94f9b37a','cellar',1,0,'done','stable_diffusion',3803257522,1760000001000,1760000151000,1760000001000,1,'1',0,NULL,NULL);
CREATE TABLE lanes (
        lane_key BLOB PRIMARY KEY,
        requirement TEXT NOT NULL
    );
INSERT INTO "lanes" VALUES(X'0192D50B04639D2CEBF50FEC9EBE5E57','{"kind":"image","models":["stable_diffusion"],"pixels":262144,"features":[],"nsfw":true,"trusted_only":false,"fast_only":false,"workers_allowed":[],"workers_denied":[]}');
INSERT INTO "lanes" VALUES(X'02981F59F8D16B2A942A03A31B804EFA','{"kind":"image","models":["stable_diffusion"],"pixels":262144,"features":["sampler:k_euler_a+karras"],"nsfw":true,"trusted_only":false,"fast_only":false,"admits_extra_slow":false,"has_many_steps":false,"workers_allowed":[],"workers_denied":[]}');
CREATE TABLE learnt (
        id INTEGER PRIMARY KEY,
        deltas TEXT NOT NULL
    );
CREATE TABLE lines (
        entry_id TEXT NOT NULL REFERENCES entries (id),
        number INTEGER NOT NULL,
        account TEXT NOT NULL,
        user_id BIGINT,
        amount BIGINT NOT NULL,
        action TEXT NOT NULL, place BIGINT, balance BIGINT,
        PRIMARY KEY (entry_id, number)
    );
INSERT INTO "lines" VALUES('0199c82c-c000-7128-8c5c-7fd0a6a3a450',0,'user',2,25000,'admin',1,25000);
INSERT INTO "lines" VALUES('0199c82c-c000-7128-8c5c-7fd0a6a3a450',1,'mint',NULL,-25000,'accumulated',NULL,NULL);
INSERT INTO "lines" VALUES('0199c82c-c000-78d0-9738-f7d93d9c1724',0,'user',2,-600,'accumulated',2,24700);
INSERT INTO "lines" VALUES('0199c82c-c000-78d0-9738-f7d93d9c1724',1,'user',2,300,'accumulated',2,24700);
INSERT INTO "lines" VALUES('0199c82c-c000-78d0-9738-f7d93d9c1724',2,'escrow',2,300,'accumulated',2,24700);
INSERT INTO "lines" VALUES('01a20b92-52a0-7456-8e08-6cd79297ef37',0,'user',2,10000,'admin',3,34700);
INSERT INTO "lines" VALUES('01a20b92-52a0-7456-8e08-6cd79297ef37',1,'mint',NULL,-10000,'accumulated',NULL,NULL);
INSERT INTO "lines" VALUES('01a20b92-52a0-7456-8e08-6cd79297ef37-monthly',0,'user',2,700,'recurring',4,35400);
INSERT INTO "lines" VALUES('01a20b92-52a0-7456-8e08-6cd79297ef37-monthly',1,'mint',NULL,-700,'accumulated',NULL,NULL);
INSERT INTO "lines" VALUES('01a20b92-52a2-73b6-ae53-8aaa623b66ad',0,'user',1,5000,'admin',1,5000);
INSERT INTO "lines" VALUES('01a20b92-52a2-73b6-ae53-8aaa623b66ad',1,'mint',NULL,-5000,'accumulated',NULL,NULL);
INSERT INTO "lines" VALUES('01a20b92-52a3-7a55-919f-4815966c030b',0,'user',1,-2000,'donated',2,3000);
INSERT INTO "lines" VALUES('01a20b92-52a3-7a55-919f-4815966c030b',1,'user',2,2000,'received',5,37400);
INSERT INTO "lines" VALUES('0199c82c-c000-77d0-a578-0819dfd2e599',0,'user',3,50000,'admin',1,50000);
INSERT INTO "lines" VALUES('0199c82c-c000-77d0-a578-0819dfd2e599',1,'mint',NULL,-50000,'accumulated',NULL,NULL);
INSERT INTO "lines" VALUES('0199c82c-c000-742b-a997-94b33f0ff4ce',0,'user',1,500000,'admin',3,503000);
INSERT INTO "lines" VALUES('0199c82c-c000-742b-a997-94b33f0ff4ce',1,'mint',NULL,-500000,'accumulated',NULL,NULL);
INSERT INTO "lines" VALUES('0199c82c-c000-72b6-a056-13c03efd16d5',0,'user',1,-7000,'gifted',4,496000);
INSERT INTO "lines" VALUES('0199c82c-c000-72b6-a056-13c03efd16d5',1,'user',3,7000,'received',2,57000);
INSERT INTO "lines" VALUES('0199c82c-c3e8-77c4-a1cf-5ff282c631ea',0,'user',1,-600,'accumulated',5,495400);
INSERT INTO "lines" VALUES('0199c82c-c3e8-77c4-a1cf-5ff282c631ea',1,'user',1,600,'accumulated',6,496000);
CREATE TABLE news (
        id INTEGER PRIMARY KEY,
        published_at BIGINT NOT NULL,
        newspiece TEXT NOT NULL,
        importance TEXT NOT NULL
    , title TEXT, tags TEXT NOT NULL DEFAULT '[]', more_info_urls TEXT NOT NULL DEFAULT '[]');
INSERT INTO "news" VALUES(1,1795490468516,'We are open.','Information','Open','["start"]','[]');
INSERT INTO "news" VALUES(2,1760000000000,'A new disk on Sunday.','Information',NULL,'[]','[]');
CREATE TABLE requests (
        id TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        lane_key BLOB NOT NULL,
        "rank" BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        waiting INTEGER NOT NULL,
        processing INTEGER NOT NULL DEFAULT 0,
        finished INTEGER NOT NULL DEFAULT 0,
        lost INTEGER NOT NULL DEFAULT 0,
        cancelled INTEGER NOT NULL DEFAULT 0,
        faults INTEGER NOT NULL DEFAULT 0,
        work BIGINT NOT NULL,
        price BIGINT NOT NULL,
        bill BIGINT NOT NULL,
        charged BIGINT NOT NULL DEFAULT 0,
        ttl_ms BIGINT NOT NULL,
        seed BIGINT,
        seed_step INTEGER NOT NULL,
        wants_links INTEGER NOT NULL,
        body BLOB NOT NULL
    , is_upfront INTEGER NOT NULL DEFAULT 0, changes BIGINT NOT NULL DEFAULT 0, webhook TEXT, webhook_tells_end INTEGER NOT NULL DEFAULT 0);
INSERT INTO "requests" VALUES('0199c82c-c000-7182-892f-902bd23f0824',2,'image','open',X'0192D50B04639D2CEBF50FEC9EBE5E57',-879999975000,1760000000000,1760001200000,2,0,1,0,0,1,7864320,600,600,600,150000,NULL,0,0,X'7B2270726F6D7074223A226120666F78222C227769647468223A3531322C22686569676874223A3531322C227374657073223A33302C2273616D706C65725F6E616D65223A226B5F65756C65725F61222C226366675F7363616C65223A352E302C226B6172726173223A747275657D',0,4,'https://bot.example/hook',1);
INSERT INTO "requests" VALUES('0199c82c-c000-7f88-b110-e3467f5a3747',1,'image','open',X'02981F59F8D16B2A942A03A31B804EFA',-879999504000,1760000000000,1760001201000,0,0,1,0,0,0,7864320,600,600,600,150000,NULL,0,0,X'7B2270726F6D7074223A2264756E6573222C227769647468223A3531322C22686569676874223A3531322C227374657073223A33302C2273616D706C65725F6E616D65223A226B5F65756C65725F61222C226366675F7363616C65223A352E302C226B6172726173223A747275657D',1,2,NULL,0);
CREATE TABLE samples (
        step_s INTEGER NOT NULL,
        start_at BIGINT NOT NULL,
        samples INTEGER NOT NULL,
        waiting BIGINT NOT NULL,
        waiting_max BIGINT NOT NULL,
        processing BIGINT NOT NULL,
        workers BIGINT NOT NULL,
        threads BIGINT NOT NULL,
        waits INTEGER NOT NULL,
        wait_s BIGINT NOT NULL,
        pictures BIGINT NOT NULL,
        work BIGINT NOT NULL,
        PRIMARY KEY (step_s, start_at)
    );
INSERT INTO "samples" VALUES(60,1760000040000,1,1,1,1,2,2,1,0,0,0);
INSERT INTO "samples" VALUES(300,1759999800000,1,1,1,1,2,2,1,0,0,0);
INSERT INTO "samples" VALUES(21600,1759989600000,5,9,2,1,6,6,3,0,0,0);
INSERT INTO "samples" VALUES(86400,1759968000000,5,9,2,1,6,6,3,0,0,0);
INSERT INTO "samples" VALUES(60,1760000100000,1,2,2,0,2,2,1,0,0,0);
INSERT INTO "samples" VALUES(300,1760000100000,4,8,2,0,4,4,2,0,0,0);
INSERT INTO "samples" VALUES(60,1760000160000,1,2,2,0,2,2,1,0,0,0);
INSERT INTO "samples" VALUES(60,1760000220000,1,2,2,0,0,0,0,0,0,0);
INSERT INTO "samples" VALUES(60,1760000280000,1,2,2,0,0,0,0,0,0,0);
CREATE TABLE sign_ins (
        key_hash TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL
    );
INSERT INTO "sign_ins" VALUES('h1:0000',2,1760000000000,1760000000001);
CREATE TABLE suspicions (
        subject TEXT NOT NULL,
        reason TEXT NOT NULL,
        times BIGINT NOT NULL,
        newest_at BIGINT NOT NULL,
        PRIMARY KEY (subject, reason)
    );
INSERT INTO "suspicions" VALUES('user:2','corrupt_prompt',1,1795523379094);
CREATE TABLE totals (
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        amount BIGINT NOT NULL,
        PRIMARY KEY (subject, name)
    );
INSERT INTO "totals" VALUES('user:1','kudos:admin',505000);
INSERT INTO "totals" VALUES('user:1','kudos:donated',-2000);
INSERT INTO "totals" VALUES('user:2','contributed',7864320);
INSERT INTO "totals" VALUES('user:2','fulfilled',1);
INSERT INTO "totals" VALUES('user:2','kudos:accumulated',-300);
INSERT INTO "totals" VALUES('user:2','kudos:admin',35000);
INSERT INTO "totals" VALUES('user:2','kudos:received',2000);
INSERT INTO "totals" VALUES('user:2','kudos:recurring',700);
INSERT INTO "totals" VALUES('user:2','requested',3);
INSERT INTO "totals" VALUES('user:2','used',7864320);
INSERT INTO "totals" VALUES('worker:0199c82c-c000-70ee-9531-985d5d9dc9f8','contributed',7864320);
INSERT INTO "totals" VALUES('worker:0199c82c-c000-70ee-9531-985d5d9dc9f8','fulfilled',1);
INSERT INTO "totals" VALUES('worker:0199c82c-c000-70ee-9531-985d5d9dc9f8','kudos:generated',600);
INSERT INTO "totals" VALUES('days:1','20781:given',-2000);
INSERT INTO "totals" VALUES('days:1','20781:other',5000);
INSERT INTO "totals" VALUES('days:2','20370:earned',300);
INSERT INTO "totals" VALUES('days:2','20370:evaluating',300);
INSERT INTO "totals" VALUES('days:2','20370:other',25000);
INSERT INTO "totals" VALUES('days:2','20370:spent',-600);
INSERT INTO "totals" VALUES('days:2','20781:other',10700);
INSERT INTO "totals" VALUES('days:2','20781:received',2000);
INSERT INTO "totals" VALUES('days:1','20370:earned:0199c82c-c3e8-7b36-aaad-4e8d94f9b37a',600);
INSERT INTO "totals" VALUES('days:1','20370:given',-7000);
INSERT INTO "totals" VALUES('days:1','20370:other',500000);
INSERT INTO "totals" VALUES('days:1','20370:spent',-600);
INSERT INTO "totals" VALUES('days:3','20370:other',50000);
INSERT INTO "totals" VALUES('days:3','20370:received',7000);
INSERT INTO "totals" VALUES('gave:2025-10:1','kudos',600);
INSERT INTO "totals" VALUES('gave:2025-10:1','pictures',1);
INSERT INTO "totals" VALUES('made:m:0029333333','pictures:stable_diffusion',1);
INSERT INTO "totals" VALUES('made:m:0029333333','work',7864320);
INSERT INTO "totals" VALUES('user:1','contributed',7864320);
INSERT INTO "totals" VALUES('user:1','fulfilled',1);
INSERT INTO "totals" VALUES('user:1','kudos:accumulated',0);
INSERT INTO "totals" VALUES('user:1','kudos:gifted',-7000);
INSERT INTO "totals" VALUES('user:1','requested',1);
INSERT INTO "totals" VALUES('user:1','used',7864320);
INSERT INTO "totals" VALUES('user:3','kudos:admin',50000);
INSERT INTO "totals" VALUES('user:3','kudos:received',7000);
INSERT INTO "totals" VALUES('worker:0199c82c-c3e8-7b36-aaad-4e8d94f9b37a','contributed',7864320);
INSERT INTO "totals" VALUES('worker:0199c82c-c3e8-7b36-aaad-4e8d94f9b37a','fulfilled',1);
INSERT INTO "totals" VALUES('worker:0199c82c-c3e8-7b36-aaad-4e8d94f9b37a','kudos:generated',600);
INSERT INTO "totals" VALUES('made:m:0029333336','faulted',1);
INSERT INTO "totals" VALUES('worker:0199c82c-c000-70ee-9531-985d5d9dc9f8','aborted',1);
CREATE TABLE transfers (
        id TEXT PRIMARY KEY,
        source_id BIGINT NOT NULL REFERENCES users (id),
        target_id BIGINT NOT NULL REFERENCES users (id),
        amount BIGINT NOT NULL,
        created_at BIGINT NOT NULL
    );
INSERT INTO "transfers" VALUES('01a20b92-52a3-7a55-919f-4815966c030b',1,2,2000,1795490468515);
INSERT INTO "transfers" VALUES('0199c82c-c000-72b6-a056-13c03efd16d5',1,3,7000,1760000000000);
CREATE TABLE users (
        id BIGINT PRIMARY KEY,
        username TEXT NOT NULL,
        key_hash TEXT UNIQUE,
        created_at BIGINT NOT NULL,
        kudos BIGINT NOT NULL DEFAULT 0,
        evaluating_kudos BIGINT NOT NULL DEFAULT 0,
        concurrency INTEGER NOT NULL,
        usage_multiplier DOUBLE PRECISION NOT NULL DEFAULT 1.0,
        worker_invited INTEGER NOT NULL DEFAULT 0,
        is_moderator INTEGER NOT NULL DEFAULT 0,
        is_trusted INTEGER NOT NULL DEFAULT 0,
        is_flagged INTEGER NOT NULL DEFAULT 0,
        has_public_workers INTEGER NOT NULL DEFAULT 0,
        monthly_kudos BIGINT NOT NULL DEFAULT 0,
        monthly_received_at BIGINT,
        suspicion INTEGER NOT NULL DEFAULT 0,
        contact TEXT
    , is_customizer INTEGER NOT NULL DEFAULT 0, is_vpn INTEGER NOT NULL DEFAULT 0, is_service INTEGER NOT NULL DEFAULT 0, is_education INTEGER NOT NULL DEFAULT 0, is_special INTEGER NOT NULL DEFAULT 0, admin_comment TEXT, deleted_at BIGINT, is_wiped INTEGER NOT NULL DEFAULT 0, webhook_secret BIGINT NOT NULL DEFAULT 0, webhook_secret_at BIGINT NOT NULL DEFAULT 0, movements BIGINT NOT NULL DEFAULT 0);
INSERT INTO "users" VALUES(0,'Anonymous',NULL,1760000000000,0,0,500,1.0,0,0,0,0,0,0,NULL,0,NULL,0,0,0,0,0,NULL,NULL,0,0,0,0);
INSERT INTO "users" VALUES(1,'Administrator','h1:1',1760000000000,496000,0,30,1.0,0,1,1,0,0,0,NULL,0,NULL,0,0,0,0,0,NULL,NULL,0,0,0,6);
INSERT INTO "users" VALUES(2,'ferris','h1:2',1760000000000,37400,300,200,1.0,0,0,0,0,0,700,1795490468512,1,'ferris@crab.example',0,0,0,1,0,'teaches drawing',1795523379094,0,1,1760000000000,5);
INSERT INTO "users" VALUES(3,'beke','h1:3',1760000000000,57000,0,30,1.0,0,0,1,0,0,0,NULL,0,NULL,0,0,0,0,0,NULL,NULL,0,0,0,2);
CREATE TABLE workers (
        id TEXT PRIMARY KEY,
        user_id BIGINT NOT NULL REFERENCES users (id),
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        offer TEXT NOT NULL,
        uptime_s BIGINT NOT NULL DEFAULT 0,
        is_paused INTEGER NOT NULL DEFAULT 0,
        maintenance_text TEXT,
        info TEXT,
        suspicion INTEGER NOT NULL DEFAULT 0
    , uptime_rewarded_s BIGINT NOT NULL DEFAULT 0);
INSERT INTO "workers" VALUES('0199c82c-c000-70ee-9531-985d5d9dc9f8',2,'attic','image',1760000000000,1760000000000,'{"capability":{"kind":"image","worker_id":"0199c82c-c000-70ee-9531-985d5d9dc9f8","models":["stable_diffusion"],"pixels_max":1048576,"features":["clip_skip","tiling","painting","img2img","hires_fix","post_processing"],"nsfw":true,"is_trusted":false,"is_fast":true},"agent":"t:1:x","threads":1,"blacklist":[],"priority_user_ids":[]}',0,0,NULL,NULL,0,0);
INSERT INTO "workers" VALUES('0199c82c-c3e8-7b36-aaad-4e8d94f9b37a',1,'cellar','image',1760000001000,1760000001000,'{"capability":{"kind":"image","worker_id":"0199c82c-c3e8-7b36-aaad-4e8d94f9b37a","models":["stable_diffusion"],"models_only_for_painting":[],"models_not_for_painting":[],"pixels_max":1048576,"features":["censor","sampler:DDIM","sampler:dpmsolver","sampler:k_dpm_adaptive+karras","sampler:k_dpm_2+karras","sampler:k_heun","sampler:k_lms","sampler:k_lms+karras","sampler:k_dpm_2","sampler:dpmsolver+karras","sampler:k_dpmpp_sde","sampler:k_dpm_2_a","sampler:k_dpm_fast","sampler:k_dpmpp_2s_a+karras","sampler:k_euler","sampler:k_euler+karras","sampler:k_heun+karras","sampler:k_dpm_2_a+karras","sampler:k_dpmpp_2s_a","sampler:k_dpmpp_sde+karras","sampler:k_dpm_adaptive","sampler:k_dpmpp_2m+karras","sampler:k_euler_a","sampler:k_dpmpp_2m","sampler:k_euler_a+karras","sampler:k_dpm_fast+karras"],"switched_off":["controlnet","qr_code","lora","transparent"],"nsfw":true,"is_trusted":true,"is_fast":true,"is_extra_slow":false,"takes_many_steps":true},"agent":"O:1:x","threads":1,"blacklist":[],"priority_user_ids":[],"amount":1,"requires_kudos":false}',0,0,NULL,NULL,0,0);
CREATE INDEX users_by_kudos ON users (kudos DESC, id);
CREATE INDEX workers_by_user ON workers (user_id);
CREATE INDEX workers_by_seen ON workers (seen_at);
CREATE INDEX requests_waiting ON requests (lane_key) WHERE waiting > 0;
CREATE INDEX requests_by_expiry ON requests (expires_at);
CREATE INDEX jobs_by_request ON jobs (request_id);
CREATE INDEX jobs_running ON jobs (due_at) WHERE state = 'running';
CREATE INDEX users_by_monthly ON users (id) WHERE monthly_kudos > 0;
CREATE INDEX requests_upfront ON requests (user_id) WHERE is_upfront = 1;
CREATE INDEX transfers_by_pair ON transfers (source_id, target_id, created_at);
CREATE INDEX answers_by_age ON answers (created_at);
CREATE UNIQUE INDEX jobs_live ON jobs (request_id, ordinal)
        WHERE state <> 'faulted';
CREATE INDEX users_by_deletion ON users (deleted_at)
        WHERE deleted_at IS NOT NULL AND is_wiped = 0;
CREATE INDEX requests_waiting_by_user ON requests (user_id, waiting)
        WHERE waiting > 0;
CREATE INDEX deliveries_waiting ON deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_waiting_of_request ON deliveries (request_id)
        WHERE state = 'waiting';
CREATE INDEX deliveries_by_user ON deliveries (user_id, created_at, id);
CREATE INDEX deliveries_by_age ON deliveries (created_at);
CREATE INDEX lines_by_user ON lines (user_id, place) WHERE place IS NOT NULL;
CREATE INDEX acts_by_actor ON acts (actor_id, id);
CREATE INDEX acts_by_operation ON acts (operation, id);
CREATE INDEX acts_by_target ON acts (target_kind, target_id, id);
CREATE INDEX users_by_name ON users (lower(username), id);
CREATE UNIQUE INDEX identities_by_user ON identities (user_id, issuer);
CREATE INDEX sign_ins_by_user ON sign_ins (user_id, created_at);
CREATE INDEX sign_ins_by_age ON sign_ins (expires_at);
COMMIT;
