#!/usr/bin/python3
"""A wire that can be bad: proxies for PostgreSQL, Redis and HTTP in one program.

    wire.py --control SOCKET --seed S NAME,KIND,LISTEN,TARGET ...

KIND is pg or raw. LISTEN and TARGET are a path (Unix socket) or a port of 127.0.0.1. Rules
come as JSON lines on the control socket, {"wire": NAME, "rules": {...}}; each is answered
with the counters of that wire. Rules replace the former ones:
  delay        [lo, hi] seconds before each piece is handed on
  cut          share of the new connections that are cut after cut_after [lo, hi] bytes
  refuse       new connections are closed at once
  hold         nothing is handed on until this rule goes away
  half_open    what comes is thrown away, nobody is told; the end of the rule cuts
  commit_lost  (pg) share of the commits whose answer never arrives
Besides, {"wire": NAME, "cut_all": true} cuts all that are open.

A commit, for commit_lost, is a Sync after a statement that changes something, or after a
commit: a pipeline up to its Sync is one transaction, or a part of one. Its answer gets lost in one of three ways:
  done     the server's answer is swallowed up to ReadyForQuery, then the client is cut
  at_once  all is handed on and both sides are cut: the server may still be at work
  late     the client is cut first, and the Sync follows a moment later: the transaction
           commits when the client may be back on a new connection
"""
import argparse
import asyncio
import collections
import json
import random
import re
import struct

STARTUP_TLS, STARTUP_GSS, STARTUP_CANCEL = 80877103, 80877104, 80877102
LOCKS = re.compile(rb"for\s+(no\s+key\s+)?update", re.I)
COMMENT = re.compile(rb"--[^\n]*")
CHANGES = re.compile(rb"\b(insert|update|delete|commit)\b", re.I)
WAYS = ("done", "at_once", "late")


def changes_something(sql):
    return bool(CHANGES.search(LOCKS.sub(b"", COMMENT.sub(b"", sql))))


class Cut(Exception):
    """This connection ends here."""


class Wire:
    def __init__(self, name, kind, listen, target, seed):
        self.name, self.kind, self.listen, self.target = name, kind, listen, target
        self.chance = random.Random(f"{seed}:{name}")
        self.rules = {}
        self.counters = collections.Counter()
        self.connections = set()
        self.free = asyncio.Event()
        self.free.set()

    async def start(self):
        if self.listen.isdigit():
            await asyncio.start_server(self.on_client, "127.0.0.1", int(self.listen))
        else:
            await asyncio.start_unix_server(self.on_client, self.listen)

    def connect(self):
        if self.target.isdigit():
            return asyncio.open_connection("127.0.0.1", int(self.target))
        return asyncio.open_unix_connection(self.target)

    def set_rules(self, rules):
        if self.rules.get("half_open") and not rules.get("half_open"):
            self.cut_all()
        self.rules = rules
        if rules.get("hold"):
            self.free.clear()
        else:
            self.free.set()

    def cut_all(self):
        for connection in list(self.connections):
            connection.abort()

    async def on_client(self, reader, writer):
        self.counters["connections"] += 1
        if self.rules.get("refuse"):
            writer.transport.abort()
            return
        try:
            server = await self.connect()
        except OSError:
            writer.transport.abort()
            return
        made = PgConnection if self.kind == "pg" else Connection
        connection = made(self, (reader, writer), server)
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)
            connection.abort()


class Connection:
    """Bytes in both directions."""

    def __init__(self, wire, client, server):
        self.wire = wire
        self.client_reader, self.client_writer = client
        self.server_reader, self.server_writer = server
        self.left = self.draw_left()

    def draw_left(self):
        """Bytes until it is cut; None: it is not."""
        rules = self.wire.rules
        if self.wire.chance.random() >= rules.get("cut", 0):
            return None
        return self.wire.chance.randint(*rules.get("cut_after", [0, 400]))

    def abort(self):
        self.client_writer.transport.abort()
        self.server_writer.transport.abort()

    async def run(self):
        pumps = [asyncio.ensure_future(self.up()), asyncio.ensure_future(self.down())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def up(self):
        await self.pump(self.client_reader, self.server_writer)

    async def down(self):
        await self.pump(self.server_reader, self.client_writer)

    async def pump(self, reader, writer):
        while True:
            data = await reader.read(65536)
            if not data:
                return
            await self.hand_on(data, writer)

    async def hand_on(self, data, writer):
        rules = self.wire.rules
        if "delay" in rules:
            await asyncio.sleep(self.wire.chance.uniform(*rules["delay"]))
        await self.wire.free.wait()
        if rules.get("half_open"):
            return
        if self.left is not None:
            data, self.left = data[:self.left], self.left - len(data)
        writer.write(data)
        await writer.drain()
        if self.left is not None and self.left <= 0:
            self.wire.counters["cut"] += 1
            raise Cut


class PgConnection(Connection):
    """Knows where messages of PostgreSQL's protocol begin, and which Sync is a commit."""

    def __init__(self, wire, client, server):
        super().__init__(wire, client, server)
        self.statements = {}  # name -> whether it changes something
        self.changing = False  # what was bound since the last Sync
        self.asked = 0  # Syncs and queries handed on
        self.answered = -1  # ReadyForQuery seen; the first one ends the start-up
        self.losing = None  # the number of the answer that is to be lost

    async def up(self):
        await self.start_up()
        buffered = bytearray()
        while True:
            data = await self.client_reader.read(65536)
            if not data:
                return
            buffered += data
            ready = 0
            for kind, begin, end in messages(buffered):
                self.look_at(kind, buffered[begin + 5:end])
                if kind == b"S":
                    way = self.draw_way()
                    if way is not None:
                        await self.lose(way, bytes(buffered[:begin]), bytes(buffered[begin:end]))
                if kind in b"SQ":
                    self.asked += 1
                ready = end
            await self.hand_on(bytes(buffered[:ready]), self.server_writer)
            del buffered[:ready]

    async def start_up(self):
        """The first packet has no type."""
        while True:
            head = await self.client_reader.readexactly(8)
            length, code = struct.unpack("!II", head)
            rest = await self.client_reader.readexactly(length - 8)
            await self.hand_on(head + rest, self.server_writer)
            if code == STARTUP_CANCEL:
                raise Cut
            if code not in (STARTUP_TLS, STARTUP_GSS):
                return

    def look_at(self, kind, body):
        if kind == b"P":
            name, sql = bytes(body).split(b"\0")[:2]
            self.statements[name] = changes_something(sql)
        elif kind == b"B":
            name = bytes(body[:512]).split(b"\0")[1]
            self.changing = self.changing or self.statements.get(name, True)

    def draw_way(self):
        """How the answer to this Sync gets lost; None: it does not."""
        changing, self.changing = self.changing, False
        if not changing or self.losing is not None:
            return None
        self.wire.counters["commits"] += 1
        if self.wire.chance.random() >= self.wire.rules.get("commit_lost", 0):
            if self.wire.rules.get("commit_lost"):
                self.wire.counters["commits_in_danger"] += 1
            return None
        way = self.wire.chance.choice(WAYS)
        self.wire.counters["commits_in_danger"] += 1
        self.wire.counters["commits_lost"] += 1
        self.wire.counters["commits_lost_" + way] += 1
        return way

    async def lose(self, way, before, sync):
        if way == "done":
            self.losing = self.asked + 1
            self.server_writer.write(before + sync)
            await asyncio.sleep(30)  # down() ends this connection
        elif way == "at_once":
            self.server_writer.write(before + sync)
            await self.server_writer.drain()
        else:
            self.server_writer.write(before)
            self.client_writer.transport.abort()
            self.losing = self.asked + 1
            await asyncio.sleep(self.wire.chance.uniform(0.02, 0.5))
            self.server_writer.write(sync)
            await asyncio.sleep(5)  # down() sees the answer
        raise Cut

    async def down(self):
        buffered = bytearray()
        while True:
            data = await self.server_reader.read(65536)
            if not data:
                return
            if self.answered < 0 and not buffered and data[:1] in b"NS" and len(data) == 1:
                await self.hand_on(data, self.client_writer)  # TLS? no
                continue
            buffered += data
            await self.hand_on_messages(buffered)

    async def hand_on_messages(self, buffered):
        passed = seen = 0
        lost = False
        for kind, _, end in messages(buffered):
            seen = end
            if self.losing is not None and self.answered >= self.losing - 1:
                lost = lost or kind == b"Z"
                continue
            passed = end
            self.answered += kind == b"Z"
        if passed and not self.client_writer.transport.is_closing():
            await self.hand_on(bytes(buffered[:passed]), self.client_writer)
        del buffered[:seen]
        if lost:
            raise Cut


def messages(buffered):
    """(type, begin, end) of each whole message."""
    begin = 0
    while len(buffered) - begin >= 5:
        end = begin + 1 + struct.unpack_from("!I", buffered, begin + 1)[0]
        if end > len(buffered):
            return
        yield bytes(buffered[begin:begin + 1]), begin, end
        begin = end


async def on_control(wires, reader, writer):
    while line := await reader.readline():
        order = json.loads(line)
        wire = wires[order["wire"]]
        if "rules" in order:
            wire.set_rules(order["rules"])
        if order.get("cut_all"):
            wire.cut_all()
        answer = {"open": len(wire.connections), **wire.counters}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
    writer.close()


def on_loop_error(loop, context):
    """A connection that was cut is no news here."""
    if not isinstance(context.get("exception"), (Cut, OSError, asyncio.IncompleteReadError)):
        loop.default_exception_handler(context)


async def serve(args):
    asyncio.get_running_loop().set_exception_handler(on_loop_error)
    wires = {}
    for text in args.wires:
        name, kind, listen, target = text.split(",")
        wires[name] = Wire(name, kind, listen, target, args.seed)
        await wires[name].start()
    control = await asyncio.start_unix_server(
        lambda reader, writer: on_control(wires, reader, writer), args.control)
    await control.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--control", required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("wires", nargs="+", metavar="NAME,KIND,LISTEN,TARGET")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
