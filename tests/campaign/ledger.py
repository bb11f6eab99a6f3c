#!/usr/bin/python3
"""The world outside the engine: an HTTP server that notes each effect before it answers.

    ledger.py --port N --file FILE --seed S

POST /effect with an Idempotency-Key: one line {key, attempt, time, note} is appended and
fsynced, then the call is answered as the note says, which is drawn from the seed, the key and
the number of the call under this key:
  answered  at once
  slow      after a moment
  cut       the connection is reset instead of an answer
  late      after the client will have gone
  failed    503, though the effect has happened
Only the first two calls under a key are treated badly, so that a retry gets through. attempt
is what the header X-Attempt says, 0 without one. Connections are not kept: on one that was
used before, libcurl would by itself repeat a request that was cut, within one attempt.
"""
import argparse
import asyncio
import collections
import json
import os
import random
import time

from aiohttp import web

HOW = [("slow", 4), ("cut", 3), ("late", 1), ("failed", 2), ("answered", 90)]
LATE = 4.0  # more patience than the clients of flows.py have


class Ledger:
    def __init__(self, path, seed):
        self.file = open(path, "a", encoding="utf-8")
        self.seed = seed
        self.calls = collections.Counter()

    def choose(self, key):
        self.calls[key] += 1
        if self.calls[key] > 2:
            return "answered", 0.0
        chance = random.Random(f"{self.seed}:{key}:{self.calls[key]}")
        names, weights = zip(*HOW)
        return chance.choices(names, weights)[0], chance.uniform(0.1, 0.8)

    def store(self, **line):
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    async def on_effect(self, request):
        key = request.headers.get("Idempotency-Key")
        if not key:
            return web.json_response({"error": "no Idempotency-Key"}, status=400)
        began = time.time()
        await request.read()
        how, pause = self.choose(key)
        self.store(key=key, attempt=int(request.headers.get("X-Attempt", "0")), time=began,
                   note=how)
        return await self.answer(request, key, how, pause)

    async def answer(self, request, key, how, pause):
        if how == "cut":
            request.transport.abort()
            return web.Response()
        if how == "late":
            await asyncio.sleep(LATE)
        elif how == "slow":
            await asyncio.sleep(pause)
        elif how == "failed":
            return close(web.json_response({"error": "too busy"}, status=503))
        return close(web.json_response({"key": key, "calls": self.calls[key]}))


def close(response):
    response.force_close()
    return response


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", required=True)
    parser.add_argument("--seed", required=True)
    args = parser.parse_args()
    app = web.Application()
    app.router.add_post("/effect", Ledger(args.file, args.seed).on_effect)
    web.run_app(app, host="127.0.0.1", port=args.port, print=None)


if __name__ == "__main__":
    main()
