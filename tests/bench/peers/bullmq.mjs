// BullMQ on Redis (default) or on PostgreSQL (BULLMQ_BACKEND=postgres; the backend is new in v6).
// seq10 chain: FlowProducer, 10 nested jobs (each waits for its child). step job: one job that
// saves its step number with updateData after each of 10 steps (the pattern of BullMQ's docs).
import { Queue, Worker, FlowProducer, QueueEvents } from 'bullmq';
import Redis from 'ioredis';
import { Bench, Probe, N, WORKLOADS, num, pool, REDIS, env, pkgVersion, sleep, freshDb } from './lib/common.mjs';
import { startFleet, serve, isChild } from './lib/fleet.mjs';

const PGB = env('BULLMQ_BACKEND', 'redis') === 'postgres';
const PROCS = num('BULLMQ_PROCS', 2), C = num('BULLMQ_CONC', PGB ? 20 : 100);
let base, backend;
if (PGB) {
  const { createPostgresBackend } = await import('bullmq');
  const url = process.env.BULLMQ_DB ?? (process.env.BULLMQ_DB = await freshDb('bullmq_bench'));
  base = { connection: { connectionString: url, max: 20, migrate: true } };
  backend = createPostgresBackend;
} else base = { connection: { ...REDIS, maxRetriesPerRequest: null } };

if (isChild) {
  const mk = (name, fn, c = C) => {
    const w = new Worker(name, fn, { ...base, concurrency: c }, backend);
    w.on('error', (e) => console.error('worker', e.message));
    return w;
  };
  const ws = [
    mk('single', async () => 1),
    mk('step', async () => 1),
    mk('stepjob', async (job) => {
      let s = job.data.step ?? 0;
      while (s < 10) { s++; await job.updateData({ step: s }); }
      return s;
    }),
    mk('child', async () => 1),
    mk('parent', async (job) => Object.keys(await job.getChildrenValues()).length),
  ];
  await Promise.all(ws.map((w) => w.waitUntilReady()));
  serve({});
} else {
  const redis = new Redis({ ...REDIS, maxRetriesPerRequest: null });
  if (!PGB) await redis.flushall();
  const probe = new Probe({ redis, pgUrl: PGB ? process.env.BULLMQ_DB : undefined }); await probe.init();
  const b = new Bench(PGB ? 'BullMQ (PG backend)' : 'BullMQ', pkgVersion('bullmq'), probe);
  const Q = (n) => new Queue(n, base, backend);
  const qs = Object.fromEntries(['single', 'step', 'stepjob', 'child', 'parent'].map((n) => [n, Q(n)]));
  await Promise.all(Object.values(qs).map((q) => q.waitUntilReady()));
  const flow = new FlowProducer(base, backend);
  // completion by id through QueueEvents (a stream on Redis)
  const waiters = new Map(); let done = {};
  const evs = [];
  for (const n of ['single', 'step', 'stepjob', 'parent']) {
    const e = new QueueEvents(n, base, backend);
    await e.waitUntilReady();
    e.on('completed', ({ jobId }) => { done[n] = (done[n] ?? 0) + 1; const w = waiters.get(jobId); if (w) { waiters.delete(jobId); w(); } });
    e.on('error', (x) => console.error(x.message));
    evs.push(e);
  }
  let uid = 0;
  const id = () => 'r' + process.pid + '-' + (++uid);
  const finish = (jid) => new Promise((r) => waiters.set(jid, r));
  const chain = (jid) => {
    let node = { name: 's', queueName: 'step', data: {} };
    for (let i = 1; i < 10; i++) node = { name: 's', queueName: 'step', data: {}, children: [node], ...(i === 9 ? { opts: { jobId: jid } } : {}) };
    return node;
  };
  const fan = (jid) => ({ name: 'p', queueName: 'parent', data: {}, opts: { jobId: jid },
    children: Array.from({ length: 100 }, () => ({ name: 'c', queueName: 'child', data: {} })) });
  const one = async (mkNode) => { const j = id(); const p = finish(j); await flow.add(mkNode(j)); await p; };
  const oneStep = async () => { const j = id(); const p = finish(j); await qs.stepjob.add('s', { step: 0 }, { jobId: j }); await p; };
  // many runs: bounded in-flight window
  const many = (n, w, fn) => pool(n, w, fn);

  const aof = PGB ? '' : `, AOF fsync ${(await redis.config('GET', 'appendfsync'))[1]}`;
  let f = await startFleet(import.meta.url, 1, { BULLMQ_CONC: '25' });
  await many(20, PGB ? 1 : 5, () => one(chain)); await many(20, PGB ? 1 : 5, oneStep);
  const cfg1 = '1 worker process x concurrency 25, 1 run at a time' + aof;
  if (WORKLOADS.has('W1lat')) {
    await b.latency('W1', 'flow chain of 10 jobs', cfg1, N.w1lat, () => one(chain));
    await b.latency('W1', 'one job, 10 updateData', cfg1, N.w1lat, oneStep);
  }
  if (WORKLOADS.has('W3') && !PGB) await b.latency('W3', 'flow, 100 children', cfg1, N.w3lat, () => one(fan));
  await f.stop();
  f = await startFleet(import.meta.url, PROCS);
  const cfg = `${PROCS} worker processes x concurrency ${C}${aof}`;
  // On the PG backend QueueEvents was seen to miss completions of concurrent runs, so
  // there only one-at-a-time latency and W2 (counted in the table) are measured.
  if (WORKLOADS.has('W1') && !PGB) {
    await b.rate('W1', 'flow chain of 10 jobs', cfg + ', 100 runs in flight', N.w1 * 10, N.w1, () => many(N.w1, 100, () => one(chain)));
    await b.rate('W1', 'one job, 10 updateData', cfg + ', 200 runs in flight', N.w1 * 2 * 10, N.w1 * 2, () => many(N.w1 * 2, 200, oneStep));
  }
  if (WORKLOADS.has('W2')) await b.rate('W2', 'addBulk 500', cfg, N.w2, N.w2, async () => {
    const cnt = async () => PGB ? Number((await probe.pg.query(`select count(*) from bullmq.job where queue = 'single' and state = 'completed'`)).rows[0].count) : (done.single ?? 0);
    const target = (await cnt()) + N.w2;
    for (let i = 0; i < N.w2; i += 500) await qs.single.addBulk(Array.from({ length: Math.min(500, N.w2 - i) }, () => ({ name: 'j', data: {} })));
    while ((await cnt()) < target) await sleep(PGB ? 20 : 5);
  });
  await f.stop();
  if (WORKLOADS.has('W3') && !PGB) {
    f = await startFleet(import.meta.url, 1, { BULLMQ_CONC: '50' });
    await b.rate('W3', 'flow, 100 children', '1 worker process x concurrency 50, 8 parents in flight' + aof, N.w3 * 100, N.w3, () => many(N.w3, 8, () => one(fan)));
    await f.stop();
  }
  await probe.end();
  process.exit(0);
}
