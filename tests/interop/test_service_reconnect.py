#!/usr/bin/env python3
"""Connections of sessions are cut, reset and stalled five hundred times under a stream of INQUIRYs: no call takes longer
than it may, every session keeps its id and answers for its own disk, and the service grows neither in descriptors nor in
memory. And a session of several connections goes on with what is left of them.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_service_reconnect.py BUILD [TEST...]

TEST_SEED repeats what the proxies do, though not to the instant.
"""

import collections
import contextlib
import ctypes
import os
import random
import re
import select
import signal
import socket
import struct
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import peers  # noqa: E402
import test_service  # noqa: E402

SEED = int(os.environ.get("TEST_SEED", random.getrandbits(32)))
EVENTS, WARM_UP = 500, 150
SEVERAL_EVENTS = 300
SESSIONS, PATIENT_SESSIONS = 8, 2  # those that come back at once, and those that wait first
TIME2WAIT = 2
COMMAND_SECONDS, SLACK = 1, 1  # what a command may take, and what a busy machine may add
CONFIGURATION = "WMIRequestTimeout = %d\nTCPConnectTime = 1\nLoginTimeout = 1\nDelayBetweenReconnect = 1\n" \
    "TCPDisconnectTime = 1\n" % COMMAND_SECONDS
KINDS = {"cut": 40, "reset": 40, "stall": 14, "silence": 6}  # and how often, in percent
LOGIN_BYTES = 1500  # a connection that carried more was a session's, not just a login's
STALL_MOST = 0.6  # less than a command may take
GIVES_UP = 10  # seconds in which the service has to see that a connection is silent
GROWTH_MOST = 96  # KiB
# What a command that was on its way may come to: no connection, a dead one, or too late.
FAILURES = {0xEFFF0060: "no connection", 0xEFFF0024: "transport error", 121: "timeout"}


# --- the library, without a compiler ---

class Portal(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char * 256), ("address", ctypes.c_char * 256), ("socket", ctypes.c_uint16)]

    def __init__(self, portal):
        address, port = portal.rsplit(":", 1)
        super().__init__(address=address.encode(), socket=int(port))


class Options(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in
                ("version", "specified", "flags", "auth_type", "header_digest", "data_digest", "maximum_connections",
                 "time2wait", "time2retain", "username_length", "password_length")] + \
        [("username", ctypes.c_void_p), ("password", ctypes.c_void_p)]


class Id(ctypes.Structure):
    _fields_ = [("unique", ctypes.c_uint64), ("specific", ctypes.c_uint64)]

    def __str__(self):
        return "%016x-%016x" % (self.unique, self.specific)


class Library:
    ANY_PORT = ctypes.c_uint32(0xFFFFFFFF)
    TIME2WAIT_COUNTS = 8
    PORTAL_HOPPING = 8

    def __init__(self):
        self.library = ctypes.CDLL(os.path.join(test_service.BUILD, "libiscsidsc.so"))

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments) & 0xFFFFFFFF
        if status:
            raise OSError("%s gives 0x%x" % (name, status))

    def log_in(self, target, portal, time2wait=0, persistent=False, flags=0):
        """The session's id, which is 0 for a login that is only stored."""
        session, connection = Id(), Id()
        options = Options(specified=self.TIME2WAIT_COUNTS, time2wait=time2wait, flags=flags)
        self.call("LoginIScsiTargetA", target.encode(), 0, None, self.ANY_PORT, ctypes.byref(Portal(portal)),
                  ctypes.c_uint64(0), None, ctypes.byref(options), 0, None, int(persistent), ctypes.byref(session),
                  ctypes.byref(connection))
        return session

    def add_connection(self, session, portal):
        connection = Id()
        self.call("AddIScsiConnectionA", ctypes.byref(session), None, self.ANY_PORT, ctypes.byref(Portal(portal)),
                  ctypes.c_uint64(0), None, 0, None, ctypes.byref(connection))
        return connection

    def add_portal(self, portal):
        self.call("AddIScsiSendTargetPortalA", None, self.ANY_PORT, None, ctypes.c_uint64(0),
                  ctypes.byref(Portal(portal)))

    def inquiry(self, session):
        """The status, and the page that tells the target's name."""
        scsi_status, length, sense_length = ctypes.c_uint8(), ctypes.c_uint32(512), ctypes.c_uint32(18)
        data, sense = ctypes.create_string_buffer(512), ctypes.create_string_buffer(18)
        status = self.library.SendScsiInquiry(
            ctypes.byref(session), ctypes.c_uint64(0), 1, 0x83, ctypes.byref(scsi_status), ctypes.byref(length), data,
            ctypes.byref(sense_length), sense)
        return status & 0xFFFFFFFF, data.raw[:length.value]


# --- what happens to connections ---

class Plan:
    """How many connections are still to be harmed, and how the next one is."""

    def __init__(self, kinds=KINDS):
        self.kinds = kinds
        self.lock = threading.Lock()
        self.random = random.Random(SEED)
        self.left = 0
        self.count = collections.Counter()

    def next(self):
        """(what happens, after so many bytes), or nothing."""
        with self.lock:
            if self.left == 0:
                return None
            self.left -= 1
            kind = self.random.choices(list(self.kinds), self.kinds.values())[0]
            # At once, within the login, or within a command.
            most = self.random.choices((0, 700, 8000), (5, 15, 80))[0]
            return kind, self.random.randint(0, most)

    def done(self, kind):
        with self.lock:
            self.count[kind] += 1


class Proxy:
    """Passes the bytes of one session on, until the plan says otherwise."""

    def __init__(self, plan, portal):
        self.plan, self.target = plan, portal.rsplit(":", 1)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.portal = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.ended, self.gap, self.trouble = None, None, None  # gap: the least time from a session's end to its next try
        self.connections, self.total = 0, 0
        self.closing = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        """No connection is taken any more, and the one that there is is cut."""
        self.closing = True
        if self.thread.is_alive():
            self.listener.shutdown(socket.SHUT_RDWR)
            self.thread.join(GIVES_UP)
        self.listener.close()

    def run(self):
        try:
            while True:
                client, _ = self.listener.accept()
                self.note_gap()
                with client, socket.create_connection((self.target[0], int(self.target[1]))) as target:
                    self.relay(client, target)
                self.ended = time.monotonic() if self.total > LOGIN_BYTES else None
        except AssertionError as error:
            self.trouble = str(error)
        except OSError as error:
            if not self.closing:
                self.trouble = str(error)

    def note_gap(self):
        self.connections, self.total = self.connections + 1, 0
        if self.ended is not None:
            gap = time.monotonic() - self.ended
            self.gap = gap if self.gap is None else min(gap, self.gap)

    def relay(self, client, target):
        event = self.plan.next()
        passed = 0
        while not self.closing:
            if event is None:
                event, passed = self.plan.next(), 0
            for source in select.select([client, target], [], [], 0.05)[0]:
                try:
                    data = source.recv(65536)
                    room = len(data) if event is None else min(len(data), event[1] - passed)
                    (target if source is client else client).sendall(data[:room])
                except ConnectionError:
                    return
                if not data:
                    return
                passed += len(data)
                self.total += len(data)
                if event is not None and passed >= event[1]:
                    if not self.harm(event[0], client, target, source, data[room:]):
                        return
                    event = None

    def harm(self, kind, client, target, source, rest):
        """Whether the connection lives on."""
        self.plan.done(kind)
        if kind == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if kind in ("cut", "reset"):
            return False
        if kind == "silence":
            self.stall(client, GIVES_UP, True)
            return False
        waiting = self.stall(client, random.uniform(0, STALL_MOST), False)
        if waiting is None:
            return False
        try:
            (target if source is client else client).sendall(rest)
            target.sendall(waiting)
        except ConnectionError:
            return False
        return True

    @staticmethod
    def stall(client, seconds, until_closed):
        """What the service sent meanwhile; None: it has closed the connection."""
        waiting, end = b"", time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                assert not until_closed, "a connection that was silent for %d s was not given up" % seconds
                return waiting
            if select.select([client], [], [], left)[0]:
                try:
                    data = client.recv(65536)
                except ConnectionError:
                    return None
                if not data:
                    return None
                waiting += data


# --- a stream of commands ---

class Stream(threading.Thread):
    def __init__(self, library, session):
        super().__init__(daemon=True)
        self.library, self.session = library, session
        self.first = self.answer()
        self.statuses, self.longest, self.trouble = collections.Counter(), 0, None
        self.in_a_row, self.end = 0, threading.Event()

    def answer(self):
        status, data = self.library.inquiry(self.session)
        assert status == 0, "INQUIRY gives 0x%x" % status
        return data

    def run(self):
        while not self.end.is_set():
            begin = time.monotonic()
            status, data = self.library.inquiry(self.session)
            self.longest = max(self.longest, time.monotonic() - begin)
            self.statuses[status] += 1
            self.in_a_row = self.in_a_row + 1 if status == 0 else 0
            if status == 0 and data != self.first:
                self.trouble = "the answer was %r, then %r" % (self.first, data)
            elif status not in FAILURES and status != 0:
                self.trouble = "INQUIRY gives 0x%x" % status
            if status != 0:
                self.end.wait(0.02)


class Target(peers.OwnProgram):
    kind = "embedded"
    program = "iscsi-test-target"

    def options(self):
        options = ["--portal", "127.0.0.1:0", "--portal", "127.0.0.1:0", "--time2wait", "0"]
        for number in range(SESSIONS + PATIENT_SESSIONS):
            options += ["--target", name_of(number), "--lun", "ram:64K"]
        return options


def name_of(number):
    return "%s:reconnect-%d" % (peers.PREFIX, number)


class Case(test_service.Case):
    configuration = CONFIGURATION

    def setUp(self):
        super().setUp()
        os.makedirs(self.state, 0o700)
        with open(os.path.join(self.state, "iscsi.conf"), "w") as file:
            file.write(self.configuration)
        os.environ.update(ISCSIDSC_STATE=self.state, ISCSIDSC_SERVICE="require")
        self.target = Target(test_service.BUILD)
        self.addCleanup(self.target.stop)
        self.target.start()
        self.service = self.serve()
        self.library = Library()

    def proxy(self, plan, number=0):
        proxy = Proxy(plan, self.target.portals[number])
        self.addCleanup(proxy.close)
        return proxy


class Soak(Case):
    def test_five_hundred_interruptions(self):
        print("seed %d (TEST_SEED repeats it)" % SEED)
        plan = Plan()
        self.proxies = [self.proxy(plan) for _ in range(SESSIONS + PATIENT_SESSIONS)]
        self.start_streams()
        ids = sorted(str(stream.session) for stream in self.streams)
        self.assertEqual(sorted(self.sessions()), ids)
        self.at_first = self.descriptors()
        before = self.harm(plan, WARM_UP)
        after = self.harm(plan, EVENTS - WARM_UP)
        self.assertEqual(sorted(self.sessions()), ids)
        for stream in self.streams:
            stream.end.set()
            stream.join(test_service.DEADLINE)
        self.tell(plan, before, after)
        self.check_streams()
        self.check_proxies()
        self.assertEqual(sum(plan.count.values()), EVENTS)
        self.assertLess(after[1], before[1] + GROWTH_MOST, "the service has grown")
        self.assertEqual(self.service.stop(), 0)

    def start_streams(self):
        """The service makes the sessions when it starts: with nothing discovered they have no portal but a proxy."""
        for number, proxy in enumerate(self.proxies):
            self.library.log_in(name_of(number), proxy.portal, 0 if number < SESSIONS else TIME2WAIT, True)
        self.assertEqual(self.service.stop(), 0)
        self.service = self.serve()
        test_service.wait_for(lambda: len(self.sessions()) == len(self.proxies), "the sessions")
        ids = self.sessions_of_targets()
        self.streams = [Stream(self.library, ids[name_of(number)]) for number in range(len(self.proxies))]
        self.assertEqual(len({stream.first for stream in self.streams}), len(self.streams), "the disks are alike")
        for stream in self.streams:
            stream.start()

    def sessions_of_targets(self):
        found = re.findall(r"^Session Id +: (\w+)-(\w+)$.*?^Target Node Name +: (\S+)$", self.succeed("SessionList"),
                           re.M | re.S)
        return {target: Id(int(unique, 16), int(specific, 16)) for unique, specific, target in found}

    def harm(self, plan, events):
        """Interrupt so many times. The service's descriptors and memory when all is well again."""
        total = sum(plan.count.values()) + events
        with plan.lock:
            plan.left = events
        test_service.wait_for(lambda: sum(plan.count.values()) >= total or self.troubled(), "the interruptions")
        rounds = [stream.statuses[0] for stream in self.streams]
        test_service.wait_for(lambda: self.troubled() or all(
            stream.statuses[0] > before + 20 and stream.in_a_row > 20
            for stream, before in zip(self.streams, rounds)), "the sessions to answer again")
        self.assertEqual(self.troubled(), [])
        test_service.wait_for(lambda: self.descriptors() == self.at_first, "the service to have %d descriptors: it has %d"
                              % (self.at_first, self.descriptors()))
        return self.descriptors(), self.private_memory()

    def descriptors(self):
        """The service's, but for those of its clients, which come and go."""
        with open("/proc/net/unix") as table:
            local = {"socket:[%s]" % fields[6] for fields in map(str.split, table) if len(fields) >= 7}
        count, directory = 0, "/proc/%d/fd" % self.service.process.pid
        for name in os.listdir(directory):
            with contextlib.suppress(OSError):
                count += os.readlink(os.path.join(directory, name)) not in local
        return count

    def private_memory(self):
        """KiB."""
        with open("/proc/%d/status" % self.service.process.pid) as status:
            return int(re.search(r"RssAnon:\s+(\d+) kB", status.read()).group(1))

    def troubled(self):
        return [one.trouble for one in self.streams + self.proxies if one.trouble]

    def tell(self, plan, before, after):
        statuses = sum((stream.statuses for stream in self.streams), collections.Counter())
        print(", ".join("%s: %d" % item for item in sorted(plan.count.items())))
        print("INQUIRYs: %d good, %s; the longest took %.2f s"
              % (statuses.pop(0), ", ".join("%s: %d" % (FAILURES.get(status, hex(status)), number)
                                            for status, number in sorted(statuses.items())) or "no other",
                 max(stream.longest for stream in self.streams)))
        print("descriptors and KiB of memory after %d interruptions: %s, after %d: %s" % (WARM_UP, before, EVENTS, after))

    def check_streams(self):
        failures = sum(sum(stream.statuses.values()) - stream.statuses[0] for stream in self.streams[:SESSIONS])
        self.assertLess(failures, EVENTS / 5, "commands do not wait for the next connection")
        for stream in self.streams:
            self.assertFalse(stream.is_alive(), "a call hangs")
            self.assertIsNone(stream.trouble)
            self.assertLess(stream.longest, COMMAND_SECONDS + SLACK, "a call took longer than it may")

    def check_proxies(self):
        for number, proxy in enumerate(self.proxies):
            self.assertIsNone(proxy.trouble)
            self.assertGreater(proxy.connections, 1, "session %d was never interrupted" % number)
            if number >= SESSIONS:
                self.assertIsNotNone(proxy.gap, "session %d was never interrupted" % number)
                self.assertGreater(proxy.gap, TIME2WAIT - 0.05, "DefaultTime2Wait was not waited for")


class Several(Case):
    """A session of three connections, each of which is cut or reset again and again: none of its commands fails."""

    configuration = "WMIRequestTimeout = 20\nTCPConnectTime = 1\nLoginTimeout = 5\nDelayBetweenReconnect = 1\n"

    def test_a_session_survives_its_connections(self):
        print("TEST_SEED=%d" % SEED)
        plan = Plan({"cut": 1, "reset": 1})
        proxies = [self.proxy(plan, number % 2) for number in range(3)]
        self.library.add_portal(self.target.portals[0])
        session = self.library.log_in(name_of(0), proxies[0].portal)
        ids = [self.library.add_connection(session, proxy.portal) for proxy in proxies[1:]]
        self.assertEqual(self.ids_listed()[1:], [str(connection) for connection in ids])
        before = self.ids_listed()
        streams = [Stream(self.library, session) for _ in range(4)]
        for stream in streams:
            stream.start()
        with plan.lock:
            plan.left = SEVERAL_EVENTS
        test_service.wait_for(lambda: plan.left == 0, "the interruptions")
        test_service.wait_for(lambda: self.ids_listed() == before, "the three connections of before")
        for stream in streams:
            stream.end.set()
        for stream in streams:
            stream.join(test_service.DEADLINE)
            self.assertFalse(stream.is_alive(), "a call hangs")
            self.assertIsNone(stream.trouble)
            self.assertEqual(list(stream.statuses), [0], stream.statuses)
        self.assertEqual([proxy.trouble for proxy in proxies], [None] * 3)
        self.assertGreater(min(proxy.connections for proxy in proxies), 1, "a connection was never interrupted")
        print("%d interruptions, %d INQUIRYs, the longest took %.2f s" % (
            sum(plan.count.values()), sum(stream.statuses[0] for stream in streams), max(stream.longest for stream in streams)))
        self.assertEqual(self.sessions(), [str(session)])

    def ids_listed(self):
        found = re.findall(r"^ +Connection Id +: (\w+)-(\w+)$", self.succeed("SessionList"), re.M)
        return [str(Id(int(unique, 16), int(specific, 16))) for unique, specific in found]


class Elsewhere(Case):
    def test_a_session_moves_to_another_portal_of_its_group(self):
        proxy = self.proxy(Plan())
        self.library.add_portal(self.target.portals[0])
        session = self.library.log_in(name_of(0), proxy.portal, flags=Library.PORTAL_HOPPING)
        stream = Stream(self.library, session)
        proxy.close()
        begin = time.monotonic()
        while self.library.inquiry(session)[0] != 0 and time.monotonic() < begin + GIVES_UP:
            pass
        self.assertEqual(stream.answer(), stream.first)
        self.assertEqual(self.sessions(), [str(session)])
        self.assertIn(self.target.portals[0].replace(":", "/"), self.succeed("SessionList"))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    test_service.BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
