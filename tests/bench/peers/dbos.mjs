// DBOS Transact (TypeScript) on PostgreSQL. Each child process is an executor that
// both starts and runs workflows (DBOS is a library: no separate server).
import { DBOS } from '@dbos-inc/dbos-sdk';
import { randomUUID } from 'node:crypto';
import { Bench, Probe, N, LONG, WORKLOADS, num, pool, freshDb, pkgVersion, env, sleep } from './lib/common.mjs';
import { startFleet, serve, isChild, childId } from './lib/fleet.mjs';

const PROCS = num('DBOS_PROCS', 2), C = num('DBOS_CONC', 32), POOL = num('DBOS_POOL', 10);

if (isChild) {
  const noop = async () => 1;
  const seq10 = DBOS.registerWorkflow(async () => {
    let s = 0;
    for (let i = 0; i < 10; i++) s += await DBOS.runStep(noop, { name: 'noop' });
    return s;
  }, { name: 'seq10' });
  const long = DBOS.registerWorkflow(async () => {
    let s = 0;
    for (let i = 0; i < LONG; i++) s += await DBOS.runStep(noop, { name: 'noop' });
    return s;
  }, { name: 'long' });
  const single = DBOS.registerWorkflow(async () => DBOS.runStep(noop, { name: 'noop' }), { name: 'single' });
  const child = DBOS.registerWorkflow(async () => 1, { name: 'child' });
  // children as child workflows
  const fanWf = DBOS.registerWorkflow(async () => {
    const hs = [];
    for (let i = 0; i < 100; i++) hs.push(await DBOS.startWorkflow(child)());
    let s = 0;
    for (const h of hs) s += await h.getResult();
    return s;
  }, { name: 'fanWf' });
  // children as parallel steps of one workflow
  const fanSteps = DBOS.registerWorkflow(async () => {
    const r = await Promise.allSettled(Array.from({ length: 100 }, () => DBOS.runStep(noop, { name: 'noop' })));
    return r.length;
  }, { name: 'fanSteps' });

  DBOS.setConfig({ name: 'peerbench', systemDatabaseUrl: env('DBOS_DB'), systemDatabasePoolSize: POOL,
    logLevel: 'error', executorID: 'ex' + childId, applicationVersion: 'v1' });
  await DBOS.launch();
  await DBOS.registerQueue('q', { workerConcurrency: num('DBOS_QCONC', 200), minPollingIntervalMs: num('DBOS_QPOLL', 20), onConflict: 'always_update' });
  const wf = { seq10, long, single, fanWf, fanSteps };
  serve({
    run: (name, n, c) => { const f = wf[name]; return pool(n, c, () => f()); },
    one: (name) => { const f = wf[name]; return f(); },
    enqueue: (n, c) => pool(n, c, () => DBOS.startWorkflow(single, { queueName: 'q', workflowID: randomUUID() })()),
  });
} else {
  const url = await freshDb('dbos_bench');
  const probe = new Probe({ pgUrl: url }); await probe.init();
  const b = new Bench('DBOS Transact TS', pkgVersion('@dbos-inc/dbos-sdk'), probe);
  // first child alone so that the schema migration does not race
  const mk = (n) => startFleet(import.meta.url, n, { DBOS_DB: url });
  let f = await mk(1);
  const cfg1 = '1 process, 1 run at a time';
  await f.call('run', 'seq10', 50, 8);
  if (WORKLOADS.has('W1lat')) await b.latency('W1', 'seq10 steps', cfg1, N.w1lat, () => f.callOne(0, 'one', 'seq10'));
  if (WORKLOADS.has('W4')) await b.latency('W4', 'runStep', cfg1, N.w4, () => f.callOne(0, 'one', 'long'));
  if (WORKLOADS.has('W3')) {
    await b.latency('W3', 'child workflows', cfg1, N.w3lat, () => f.callOne(0, 'one', 'fanWf'));
    await b.latency('W3', 'parallel steps', cfg1, N.w3lat, () => f.callOne(0, 'one', 'fanSteps'));
  }
  await f.stop();
  f = await mk(PROCS);
  const cfg = `${PROCS} processes x ${C} runs in flight, pool ${POOL}`;
  await f.call('run', 'seq10', 50, C);
  const share = (n) => Math.ceil(n / PROCS);
  if (WORKLOADS.has('W1')) await b.rate('W1', 'seq10 steps', cfg, N.w1 * 10, N.w1, () => f.call('run', 'seq10', share(N.w1), C));
  if (WORKLOADS.has('W2')) {
    await b.rate('W2', 'direct start', cfg, N.w2, N.w2, () => f.call('run', 'single', share(N.w2), C));
    const nq = Math.ceil(N.w2 / 2);
    let base = Number((await probe.pg.query(`select count(*) from dbos.workflow_status where queue_name='q' and status='SUCCESS'`)).rows[0].count);
    await b.rate('W2', 'via queue', cfg + ', queue poll 20 ms', nq, nq, async () => {
      const p = f.call('enqueue', share(nq), C);
      base += share(nq) * PROCS;
      await p;
      for (;;) {
        const n = Number((await probe.pg.query(`select count(*) from dbos.workflow_status where queue_name='q' and status='SUCCESS'`)).rows[0].count);
        if (n >= base) break;
        await sleep(25);
      }
    });
  }
  if (WORKLOADS.has('W3')) {
    const c3 = Math.min(C, 4), cfg3 = `${PROCS} processes x ${c3} parents in flight`;
    await b.rate('W3', 'child workflows', cfg3, share(N.w3) * PROCS * 100, share(N.w3) * PROCS, () => f.call('run', 'fanWf', share(N.w3), c3));
    await b.rate('W3', 'parallel steps', cfg3, share(N.w3) * PROCS * 100, share(N.w3) * PROCS, () => f.call('run', 'fanSteps', share(N.w3), c3));
  }
  await f.stop();
  await probe.end();
}
