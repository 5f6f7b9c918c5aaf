"""A way to a target on which connections do not live long: they are cut, reset or stalled in the middle of what they carry."""

import collections
import contextlib
import random
import select
import socket
import struct
import threading
import time

ROOM = 1 << 18  # bytes on their way, in each direction
LIFE = 0.02, 0.3  # seconds between two interruptions of a connection
STALL = 0.05, 0.3  # seconds
KINDS = {"cut": 4, "reset": 4, "stall": 2}  # and their weights


class Flow:
    """One direction of a connection."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.waiting, self.ended = b"", False

    def move(self, readable):
        """OSError: the connection is over."""
        if self.source in readable:
            self.waiting = self.source.recv(ROOM)
            self.ended = not self.waiting
        if self.waiting:
            with contextlib.suppress(BlockingIOError):
                self.waiting = self.waiting[self.sink.send(self.waiting):]


class Cutter:
    """Listens at `portal`, passes everything on to the target, and does harm until told to `rest`."""

    def __init__(self, target, seed, life=LIFE):
        self.target, self.life = target.rsplit(":", 1), life
        self.dice = random.Random(seed)
        self.count = collections.Counter()
        self.harmful, self.closing = True, False
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.portal = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.start(self.accept)

    def start(self, run, *arguments):
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def rest(self):
        self.harmful = False

    def close(self):
        self.closing = True
        for thread in self.threads:
            thread.join()
        self.listener.close()

    def accept(self):
        while not self.closing:
            if select.select([self.listener], [], [], 0.05)[0]:
                self.start(self.carry, self.listener.accept()[0])

    def carry(self, client):
        with client, contextlib.suppress(OSError), \
                socket.create_connection((self.target[0], int(self.target[1]))) as target:
            self.count["connection"] += 1
            for end in client, target:
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.relay(client, [Flow(client, target), Flow(target, client)])

    def relay(self, client, flows):
        due = time.monotonic() + self.dice.uniform(*self.life)
        while not self.closing and not any(flow.ended for flow in flows):
            readable, _, _ = select.select([flow.source for flow in flows if not flow.waiting],
                                                  [flow.sink for flow in flows if flow.waiting], [], 0.05)
            if self.harmful and readable and time.monotonic() >= due:
                if not self.harm(client, self.flow_from(flows, readable[0])):
                    return
                due = time.monotonic() + self.dice.uniform(*self.life)
                continue
            for flow in flows:
                flow.move(readable)

    @staticmethod
    def flow_from(flows, source):
        return next(flow for flow in flows if flow.source is source)

    def harm(self, client, flow):
        """To a part of what has come. Whether the connection lives on."""
        kind = self.dice.choices(list(KINDS), KINDS.values())[0]
        self.count[kind] += 1
        if kind == "stall":
            time.sleep(self.dice.uniform(*STALL))
            return True
        data = flow.source.recv(ROOM)
        with contextlib.suppress(BlockingIOError):
            flow.sink.send(data[:self.dice.randrange(len(data) + 1)])
        if kind == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
