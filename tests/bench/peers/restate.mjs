// Restate single node (server binary from npm), its own storage (log + RocksDB) under $WORK.
// Service processes speak HTTP/2 to the server; load goes through the HTTP ingress.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import http from 'node:http';
import * as restate from '@restatedev/restate-sdk';
import { Bench, Probe, N, LONG, WORKLOADS, num, pool, env, pkgVersion, sleep, log } from './lib/common.mjs';
import { startFleet, serve, isChild, childId } from './lib/fleet.mjs';

const PROCS = num('RESTATE_PROCS', 1), C = num('RESTATE_CONC', 256), PARTS = num('RESTATE_PARTITIONS', 1);
const P0 = num('RESTATE_PORT0', 57000);
const INGRESS = P0 + 1, ADMIN = P0 + 2, NODE = P0 + 3, SVC = P0 + 10;

if (isChild) {
  const noop = async () => 1;
  let ran = 0;
  const svc = restate.service({
    name: 'bench',
    handlers: {
      seq10: async (ctx) => { let s = 0; for (let i = 0; i < 10; i++) s += await ctx.run('noop', noop); return s; },
      long: async (ctx) => { let s = 0; for (let i = 0; i < LONG; i++) s += await ctx.run('noop', noop); return s; },
      single: async () => 1,
      single1: async (ctx) => ctx.run('noop', noop),
      child: async () => 1,
      counted: async (ctx) => { await ctx.run('noop', noop); ran++; },
      feed: async (ctx, n) => { const c = ctx.serviceSendClient({ name: 'bench' }); for (let i = 0; i < n; i++) c.counted(); return n; },
      fan: async (ctx) => {
        const c = ctx.serviceClient({ name: 'bench' });
        const r = await restate.RestatePromise.all(Array.from({ length: 100 }, () => c.child()));
        return r.length;
      },
      fanSteps: async (ctx) => (await restate.RestatePromise.all(Array.from({ length: 100 }, () => ctx.run('noop', noop)))).length,
    },
  });
  // one service name is bound to one deployment; further processes would need a load balancer
  await restate.serve({ services: [svc], port: SVC + childId });
  serve({ ran: () => ran });
} else {
  const dir = path.join(env('WORK', '.'), 'restate-data'); fs.rmSync(dir, { recursive: true, force: true }); fs.mkdirSync(dir, { recursive: true });
  const bin = new URL('./node_modules/@restatedev/restate-server-linux-x64/bin/restate-server', import.meta.url).pathname;
  const cfgFile = path.join(dir, 'restate.toml');
  fs.writeFileSync(cfgFile, `
listen-mode = "tcp"
bind-ip = "127.0.0.1"
advertised-host = "127.0.0.1"
bind-port = ${NODE}
default-num-partitions = ${PARTS}
disable-telemetry = true
log-filter = "warn"
[ingress]
bind-port = ${INGRESS}
[admin]
bind-port = ${ADMIN}
`);
  const srv = spawn(bin, ['--config-file', cfgFile, '--no-logo', '--base-dir', dir, '--node-name', 'n1'],
    { stdio: ['ignore', fs.openSync(path.join(dir, 'server.log'), 'w'), fs.openSync(path.join(dir, 'server.err'), 'w')], env: { ...process.env, DO_NOT_TRACK: '1' } });
  process.on('exit', () => { try { srv.kill('SIGKILL'); } catch {} });
  for (let i = 0; ; i++) {
    try { const r = await fetch(`http://127.0.0.1:${ADMIN}/health`); if (r.ok) break; } catch {}
    if (i > 150) { log(fs.readFileSync(path.join(dir, 'server.err'), 'utf8').slice(-2000), fs.readFileSync(path.join(dir, 'server.log'), 'utf8').slice(-2000)); process.exit(1); }
    await sleep(200);
  }
  const f = await startFleet(import.meta.url, 1, { RESTATE_LOGGING: 'ERROR', NODE_ENV: 'production' });
  const reg = await fetch(`http://127.0.0.1:${ADMIN}/deployments`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ uri: `http://127.0.0.1:${SVC}`, force: true }) });
  if (!reg.ok) { log(await reg.text()); process.exit(1); }
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4096 });
  const call = (h, body) => new Promise((res, rej) => {
    const r = http.request({ host: '127.0.0.1', port: INGRESS, path: `/bench/${h}`, method: 'POST', agent, headers: body === undefined ? {} : { 'content-type': 'application/json' } }, (x) => {
      let s = ''; x.on('data', (d) => (s += d)); x.on('end', () => x.statusCode < 300 ? res(s) : rej(new Error(x.statusCode + ' ' + s)));
    });
    r.on('error', rej); r.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const probe = new Probe(); await probe.init();
  const b = new Bench('Restate', pkgVersion('@restatedev/restate-server'), probe);
  for (let i = 0; ; i++) { try { await call('single'); break; } catch (e) { if (i > 50) throw e; await sleep(200); } }
  await pool(100, 16, () => call('seq10'));
  const cfg1 = `1 server (${PARTS} partitions), 1 service process, 1 run at a time`;
  if (WORKLOADS.has('W1lat')) await b.latency('W1', '10 ctx.run', cfg1, N.w1lat, () => call('seq10'));
  if (WORKLOADS.has('W4')) await b.latency('W4', 'ctx.run', cfg1, N.w4, () => call('long'));
  if (WORKLOADS.has('W3')) {
    await b.latency('W3', '100 service calls', cfg1, N.w3lat, () => call('fan'));
    await b.latency('W3', '100 parallel ctx.run', cfg1, N.w3lat, () => call('fanSteps'));
  }
  const cfg = `1 server (${PARTS} partitions), 1 service process, ${C} runs in flight`;
  if (WORKLOADS.has('W1')) await b.rate('W1', '10 ctx.run', cfg, N.w1 * 10, N.w1, () => pool(N.w1, C, () => call('seq10')));
  if (WORKLOADS.has('W2')) {
    await b.rate('W2', 'request-response, no step', cfg, N.w2, N.w2, () => pool(N.w2, C, () => call('single')));
    await b.rate('W2', 'request-response, 1 ctx.run', cfg, N.w2, N.w2, () => pool(N.w2, C, () => call('single1')));
    await b.rate('W2', 'one-way sends of a feeder handler, 1 ctx.run', `1 server (${PARTS} partitions), 1 service process, 8 feeders x 250 sends`, N.w2, N.w2, async () => {
      const target = (await f.callOne(0, 'ran')) + N.w2;
      await pool(Math.ceil(N.w2 / 250), 8, (i) => call('feed', Math.min(250, N.w2 - i * 250)));
      while ((await f.callOne(0, 'ran')) < target) await sleep(5);
    });
  }
  if (WORKLOADS.has('W3')) {
    await b.rate('W3', '100 service calls', `${cfg1.replace(', 1 run at a time', '')}, 8 parents in flight`, N.w3 * 100, N.w3, () => pool(N.w3, 8, () => call('fan')));
    await b.rate('W3', '100 parallel ctx.run', `${cfg1.replace(', 1 run at a time', '')}, 8 parents in flight`, N.w3 * 100, N.w3, () => pool(N.w3, 8, () => call('fanSteps')));
  }
  await f.stop();
  srv.kill('SIGTERM');
  await new Promise((r) => { srv.on('exit', r); setTimeout(() => { srv.kill('SIGKILL'); r(); }, 8000); });
  process.exit(0);
}
