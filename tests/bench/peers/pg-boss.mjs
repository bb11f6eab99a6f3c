// pg-boss on PostgreSQL. Its own flow() (job dependencies) is resolved by a background
// poll of >= 1 s, so chains are measured the fast way: the handler sends the next job
// in the same transaction as its own completion (work(..., {transactional:true})).
import { PgBoss } from 'pg-boss';
import pg from 'pg';
import { Bench, Probe, N, WORKLOADS, num, pool, freshDb, pkgVersion, env, sleep } from './lib/common.mjs';
import { startFleet, serve, isChild } from './lib/fleet.mjs';

const PROCS = num('PGBOSS_PROCS', 1), BATCH = num('PGBOSS_BATCH', 500), LC = num('PGBOSS_CONC', 2);
const opts = (url) => ({ connectionString: url, max: 12, useListenNotify: true, supervise: true, schedule: false, flowIntervalSeconds: 1 });
const QUEUES = ['single', 'seq', 'fan', 'child', 'join', 'flowstep'];

if (isChild) {
  const boss = new PgBoss(opts(env('PGBOSS_DB'))); boss.on('error', (e) => console.error(e.message)); boss.on('warning', () => {});
  await boss.start();
  const sp = new pg.Pool({ connectionString: env('PGBOSS_DB'), max: 4 });
  const b1 = Number(env('PGBOSS_B1', '0'));
  const o = { batchSize: b1 || BATCH, localConcurrency: LC, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
  // transactional: completion and the sends of the handler commit together
  const tx = { ...o, transactional: true };
  await boss.work('single', o, async () => {});
  await boss.work('seq', tx, async (jobs, db) => {
    const next = jobs.filter((j) => j.data.i < 9);
    if (next.length) await boss.insert('seq', next.map((j) => ({ data: { r: j.data.r, i: j.data.i + 1 } })), { db });
    const done = jobs.filter((j) => j.data.i === 9).map((j) => j.data.r);
    if (done.length) await db.executeSql('select pg_notify($1, x) from unnest($2::text[]) x', ['done', done]);
  });
  await boss.work('fan', tx, async (jobs, db) => {
    for (const j of jobs) {
      await db.executeSql('insert into public.joins(r, left_n) values ($1, 100)', [j.data.r]);
      await boss.insert('child', Array.from({ length: 100 }, () => ({ data: { r: j.data.r } })), { db });
    }
  });
  await boss.work('child', tx, async (jobs, db) => {
    const by = new Map(); for (const j of jobs) by.set(j.data.r, (by.get(j.data.r) ?? 0) + 1);
    const rs = [...by.keys()].sort();
    for (const r of rs) { // fixed lock order
      const { rows } = await db.executeSql('update public.joins set left_n = left_n - $2 where r = $1 returning left_n', [r, by.get(r)]);
      if (rows[0].left_n === 0) await boss.insert('join', [{ data: { r } }], { db });
    }
  });
  await boss.work('join', o, async (jobs) => { await sp.query('select pg_notify($1, x) from unnest($2::text[]) x', ['done', jobs.map((j) => j.data.r)]); });
  await boss.work('flowstep', o, async (jobs) => { const d = jobs.filter((j) => j.data.last); if (d.length) await sp.query('select pg_notify($1, x) from unnest($2::text[]) x', ['done', d.map((j) => j.data.r)]); });
  serve({});
} else {
  const url = await freshDb('pgboss_bench');
  const boss = new PgBoss(opts(url)); boss.on('error', (e) => console.error(e.message)); boss.on('warning', () => {});
  await boss.start();
  for (const q of QUEUES) await boss.createQueue(q, { notify: true });
  const probe = new Probe({ pgUrl: url }); await probe.init();
  await probe.pg.query('create table public.joins(r text primary key, left_n int)');
  const l = new pg.Client({ connectionString: url }); await l.connect(); await l.query('listen done');
  const waiters = new Map();
  l.on('notification', (m) => { const w = waiters.get(m.payload); if (w) { waiters.delete(m.payload); w(); } });
  let uid = 0;
  const rid = () => process.pid + '-' + (++uid);
  const wait = (r) => new Promise((x) => waiters.set(r, x));
  const one = async (q) => { const r = rid(), p = wait(r); await boss.send(q, { r, i: 0 }); await p; };
  const oneFlow = async () => {
    const r = rid(), p = wait(r);
    await boss.flow(Array.from({ length: 10 }, (_, i) => ({ ref: 's' + i, name: 'flowstep', data: { r, last: i === 9 }, dependsOn: i ? ['s' + (i - 1)] : [] })));
    await p;
  };
  const left = async () => Number((await probe.pg.query(`select count(*) from pgboss.job where name = 'single' and state < 'completed'`)).rows[0].count);
  const b = new Bench('pg-boss', pkgVersion('pg-boss'), probe);
  let f = await startFleet(import.meta.url, 1, { PGBOSS_DB: url, PGBOSS_B1: '1' });
  await sleep(500); await pool(10, 2, () => one('seq'));
  const cfg1 = `1 process x ${LC} workers, batch 1, LISTEN/NOTIFY, 1 run at a time`;
  if (WORKLOADS.has('W1lat')) {
    await b.latency('W1', 'chain by transactional send', cfg1, N.w1lat, () => one('seq'));
    if (env('PGBOSS_FLOW', '1') === '1') await b.latency('W1', 'flow() dependencies, 1 s resolver', cfg1, 1, oneFlow, 3);
  }
  await f.stop();
  f = await startFleet(import.meta.url, PROCS, { PGBOSS_DB: url });
  await sleep(500); await pool(20, 4, () => one('seq'));
  // untimed: gives the planner statistics (a fresh queue runs at about 1/40 of this until auto-analyze)
  if (env('PG_VACUUM', '1') === '1') {
    await boss.insert('single', Array.from({ length: 3000 }, () => ({ data: {} })));
    while (await left() > 0) await sleep(20);
    await pool(10, 2, () => one('fan')); await pool(100, 50, () => one('seq')); await probe.settle();
  }
  const cfg = `${PROCS} processes x ${LC} workers, batch ${BATCH}, LISTEN/NOTIFY`;
  if (WORKLOADS.has('W3')) await b.latency('W3', '100 jobs + counter row', cfg + ', 1 run at a time', N.w3lat, () => one('fan'));
  if (WORKLOADS.has('W1')) await b.rate('W1', 'chain by transactional send', cfg + ', 200 runs in flight', N.w1 * 10, N.w1, () => pool(N.w1, 200, () => one('seq')));
  if (WORKLOADS.has('W2')) await b.rate('W2', 'insert 500', cfg, N.w2, N.w2, async () => {
    for (let i = 0; i < N.w2; i += 500) await boss.insert('single', Array.from({ length: Math.min(500, N.w2 - i) }, () => ({ data: {} })));
    while (await left() > 0) await sleep(20);
  });
  if (WORKLOADS.has('W3')) await b.rate('W3', '100 jobs + counter row', cfg + ', 8 parents in flight', N.w3 * 100, N.w3, () => pool(N.w3, 8, () => one('fan')));
  await f.stop();
  await boss.stop({ graceful: false }); await l.end(); await probe.end(); process.exit(0);
}
