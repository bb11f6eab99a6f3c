"""HTTP calls of the campaign's clients: each one is noted, with what was answered or that
nothing was."""
import asyncio
import json
import time

import aiohttp

AWAY = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


class Clients:
    def __init__(self, system, history):
        self.system, self.history = system, history
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=5))

    async def close(self):
        await self.session.close()

    async def call(self, chance, op, method, path, body=None, key=None, timeout=10.0,
                   **noted):
        """One call to a supervisor by chance: (status, JSON). (None, None): no answer."""
        front = chance.choice(self.system.front_urls())
        headers = {"Idempotency-Key": key} if key else {}
        start, status, answer, error = time.time(), None, None, None
        try:
            async with self.session.request(
                    method, front + path, json=body, headers=headers,
                    timeout=aiohttp.ClientTimeout(total=timeout)) as response:
                answer = parse(await response.read())
                status = response.status
        except AWAY as problem:
            error = f"{type(problem).__name__}: {problem}"
        run = answer.get("executionId") if isinstance(answer, dict) else None
        self.history.call(op, **{
            "key": key, "workflow": None, "start": start, "end": time.time(), "status": status,
            "execution": run, "method": method, "path": path, "front": front, "error": error,
            **noted})
        return status, answer

    async def insist(self, chance, op, method, path, body=None, key=None, patience=120.0,
                     **noted):
        """Calls until there is an answer other than 5xx."""
        end = time.monotonic() + patience
        while True:
            status, answer = await self.call(chance, op, method, path, body, key, **noted)
            if status is not None and status < 500 and status != 409:
                return status, answer
            if status == 409 and key is None:
                return status, answer
            if time.monotonic() > end:
                return status, answer
            await asyncio.sleep(chance.uniform(0.1, 0.6))


def parse(body):
    try:
        return json.loads(body)
    except ValueError:
        return None
