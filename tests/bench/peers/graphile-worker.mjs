// graphile-worker on PostgreSQL. It has no chains or joins: seq10 is a task that adds
// the next job; fan100 is a parent adding 100 jobs whose last finisher adds the join job
// (a counter row, in the same database).
import { run, makeWorkerUtils, Logger } from 'graphile-worker';
import pg from 'pg';
import { Bench, Probe, N, WORKLOADS, num, pool, freshDb, pkgVersion, env, sleep } from './lib/common.mjs';
import { startFleet, serve, isChild } from './lib/fleet.mjs';

const PROCS = num('GW_PROCS', 1), C = num('GW_CONC', 10), BATCH = env('GW_BATCH', '') === '1';
const LOCALQ = num('GW_LOCALQ', 500);
const quiet = new Logger(() => () => {});

if (isChild) {
  const preset = { worker: { connectionString: env('GW_DB'), maxPoolSize: C + 2, concurrentJobs: C, pollInterval: 1000,
    logger: quiet,
    ...(BATCH ? { localQueue: { size: LOCALQ }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {}) } };
  const runner = await run({ preset, taskList: {
    single: async () => {},
    seq: async (p, h) => {
      if (p.i < 9) await h.addJob('seq', { r: p.r, i: p.i + 1 });
      else await h.query('select pg_notify($1,$2)', ['done', p.r]);
    },
    fan: async (p, h) => {
      await h.query('insert into public.joins(r, left_n) values ($1, 100)', [p.r]);
      await h.addJobs(Array.from({ length: 100 }, () => ({ identifier: 'child', payload: { r: p.r } })));
    },
    child: async (p, h) => {
      const { rows } = await h.query('update public.joins set left_n = left_n - 1 where r = $1 returning left_n', [p.r]);
      if (rows[0].left_n === 0) await h.addJob('join', { r: p.r });
    },
    join: async (p, h) => { await h.query('select pg_notify($1,$2)', ['done', p.r]); },
  } });
  runner.promise.catch((e) => { console.error(e); process.exit(1); });
  serve({});
} else {
  const url = await freshDb('gw_bench');
  const utils = await makeWorkerUtils({ connectionString: url, logger: quiet, maxPoolSize: 20 });
  await utils.migrate();
  const probe = new Probe({ pgUrl: url }); await probe.init();
  await probe.pg.query('create table public.joins(r text primary key, left_n int)');
  const l = new pg.Client({ connectionString: url }); await l.connect(); await l.query('listen done');
  const waiters = new Map();
  l.on('notification', (m) => { const w = waiters.get(m.payload); if (w) { waiters.delete(m.payload); w(); } });
  const pgp = new pg.Pool({ connectionString: url, max: 8 });
  let uid = 0;
  const one = async (task) => {
    const r = process.pid + '-' + (++uid); const p = new Promise((x) => waiters.set(r, x));
    await pgp.query('select graphile_worker.add_job($1, payload => $2::json)', [task, JSON.stringify({ r, i: 0 })]); await p;
  };
  const left = async () => Number((await probe.pg.query('select count(*) from graphile_worker._private_jobs')).rows[0].count);
  const b = new Bench('graphile-worker', pkgVersion('graphile-worker'), probe);
  const mode = (m) => ({ GW_DB: url, GW_BATCH: m ? '1' : '' });
  const cfg1 = `1 process x concurrency ${C}, no batching, LISTEN/NOTIFY, 1 run at a time`;
  let f = await startFleet(import.meta.url, 1, mode(false));
  await sleep(500); await pool(20, 4, () => one('seq'));
  if (WORKLOADS.has('W1lat')) await b.latency('W1', 'self-adding chain', cfg1, N.w1lat, () => one('seq'));
  if (WORKLOADS.has('W3')) await b.latency('W3', '100 jobs + counter row', cfg1, N.w3lat, () => one('fan'));
  await f.stop();
  for (const batch of [false, true]) {
    const tag = batch ? ', batched (local queue + batched completion)' : '';
    const cfg = `${PROCS} processes x concurrency ${C}${batch ? `, localQueue ${LOCALQ}, completeJobBatchDelay 0` : ', no batching'}`;
    f = await startFleet(import.meta.url, PROCS, mode(batch));
    await sleep(500); await pool(20, 4, () => one('seq'));
    if (WORKLOADS.has('W1')) await b.rate('W1', 'self-adding chain' + tag, cfg + ', 50 runs in flight', N.w1 * 10, N.w1, () => pool(N.w1, 50, () => one('seq')));
    if (WORKLOADS.has('W3')) await b.rate('W3', '100 jobs + counter row' + tag, cfg + ', 8 parents in flight', N.w3 * 100, N.w3, () => pool(N.w3, 8, () => one('fan')));
    if (WORKLOADS.has('W2')) await b.rate('W2', 'addJobs 500' + tag, cfg, N.w2, N.w2, async () => {
      for (let i = 0; i < N.w2; i += 500) await utils.addJobs(Array.from({ length: Math.min(500, N.w2 - i) }, () => ({ identifier: 'single', payload: {} })));
      while (await left() > 0) await sleep(20);
    });
    await f.stop();
  }
  await l.end(); await pgp.end(); await utils.release(); await probe.end();
}
