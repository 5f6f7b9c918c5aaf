#!/usr/bin/env python3
"""The service is killed at random points, while clients change what it stores and while it starts. After each restart
the store opens, all that was acknowledged is there, and what was not is there as a whole or not at all.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_service_crash.py BUILD [--seed SEED] [--kills COUNT]

The seed decides what the clients do and when the kills come: a run can be repeated, though not to the instruction.
"""

import argparse
import collections
import contextlib
import os
import random
import selectors
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "harness")]
import peers  # noqa: E402
import ports  # noqa: E402
import test_service  # noqa: E402

CLIENTS = 3
LUNS_MOST, KEY_PARTS_MOST = 256, 1500
GROUP = 3
DEADLINE = 30
RUNNING_MOST, STARTING_MOST = 0.04, 0.02  # seconds until the kill
STARTS_KILLED = 0.25
NAME = "iqn.2026-11.org.example:version-"


# --- what has to be stored for a version: the same rules as in crash_client.c ---

def options(version):
    return (0xFF, 2, 1, version & 1, version >> 1 & 1, 1 + version % 8, version % 60, version % 120,
            "user-%d" % version)


def mapping(version):
    luns = [(i, version << 32 | i) for i in range(1 + version % LUNS_MOST)]
    return "device-%d" % version, version % 256, (version + 1) % 256, luns


def key_of(version):
    return (b"key-%08d" % version) * (1 + version % KEY_PARTS_MOST)


def place(key):
    """A portal's address and, for a login, the target, from a key such as login-1-7 (client and slot)."""
    client, slot = map(int, key.split("-")[1:])
    return "127.1.%d.%d" % (client, slot + 1), "iqn.2026-11.org.example:crash-%d-%d" % (client, slot)


def static_name(key):
    return "iqn.2026-11.org.example:" + key


def group(key, version):
    """A static target's portals."""
    return ["%s %d version %d" % (place(key)[0], 3260 + i, version) for i in range(1 + version % GROUP)]


def reported(key, version, port):
    """The client's line for it."""
    address, target = place(key)
    told = "%s %d version %d " % (address, port, version) + "%x %x %d %d %d %d %d %d %s" % options(version)
    if key.startswith("portal"):
        return "portal " + told
    device, bus, number, luns = mapping(version)
    if key.startswith("static"):
        return "static %s version %d %s %s %d %d %d %x %s" % (
            static_name(key), version, "%x %x %d %d %d %d %d %d %s" % options(version), device, bus, number, len(luns),
            luns[0][1], " ".join(group(key, version)))
    return "login %s %s %s %d %d %d %x" % (target, told, device, bus, number, len(luns), luns[0][1])


def row(key, version, port):
    """The row of the database for it, without the number that tells one login from another."""
    address, target = place(key)
    values = options(version)
    values = values[:-1] + (values[-1].encode(), b"secret-%08d" % version)
    told = (address, port, "version %d" % version) + values
    if key.startswith("portal"):
        return told
    device, bus, number, luns = mapping(version)
    packed = b"".join(lun.to_bytes(4, "big") + at.to_bytes(8, "big") for lun, at in luns)
    if key.startswith("static"):
        return (static_name(key), "version %d" % version, 0, 1, 1) + values + (1, device, bus, number, packed) + \
            (", ".join(group(key, version)),)
    return (target,) + told + (1, device, bus, number, packed, key_of(version))


OPTIONS = "specified, flags, auth_type, header_digest, data_digest, maximum_connections, time2wait, time2retain," \
    " username, password"
COLUMNS = "address, socket, symbolic_name, " + OPTIONS
MAPPING = "mapped, os_device, os_bus, os_target, luns"
# A portal whose target is not there makes a row, too.
GROUPS = "SELECT owner, group_concat(told, ', ') AS portals FROM (SELECT owner," \
    " address || ' ' || socket || ' ' || symbolic_name AS told FROM static_portals ORDER BY id) GROUP BY owner"
TABLES = {"portal": "SELECT %s FROM portals" % COLUMNS,
          "login": "SELECT target, %s, %s, key FROM logins" % (COLUMNS, MAPPING),
          "static": "SELECT target, alias, target_flags, optional, grouped, %s, %s, portals"
                    " FROM (%s) LEFT JOIN static_targets ON owner = id" % (OPTIONS, MAPPING, GROUPS)}


# --- what may be stored ---

class Change:
    """A call that sets a key to a version (0: removes it), and the places of its begin and end among all that was told."""

    def __init__(self, version, begin, end=None):
        self.version, self.begin, self.end = version, begin, end


class History:
    """The changes since the last look at the store."""

    def __init__(self, state):
        self.keys = collections.defaultdict(list, {key: [Change(version, -1, -1)] for key, version in state.items()})
        self.running, self.now, self.acknowledged = {}, 0, 0

    def begin(self, client, key, version):
        self.now += 1
        changes = self.keys[key]
        if not changes:
            changes.append(Change(0, -1, -1))
        self.running[client] = Change(version, self.now)
        changes.append(self.running[client])

    def end(self, client):
        self.now += 1
        self.acknowledged += 1
        self.running.pop(client).end = self.now

    def possible(self, key):
        """The versions of all changes but those that had ended before one that was acknowledged began."""
        changes = self.keys[key]
        latest = max(change.begin for change in changes if change.end is not None)
        return {change.version for change in changes if change.end is None or change.end >= latest}


# --- the clients ---

class Clients:
    """They all write to one pipe, so that what one was told before another asked comes first."""

    def __init__(self, program, environment, port):
        self.output, written = os.pipe()
        self.processes = [
            subprocess.Popen([program, str(number), str(port)], stdin=subprocess.PIPE, stdout=written, text=True,
                             env=environment, preexec_fn=peers.die_with_parent) for number in range(CLIENTS)]
        os.close(written)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.output, selectors.EVENT_READ)
        self.rest = b""

    def tell(self, number, line):
        self.processes[number].stdin.write(line + "\n")
        self.processes[number].stdin.flush()

    def lines(self):
        """(client, what it told), as long as anybody wants to know."""
        while True:
            *complete, self.rest = self.rest.split(b"\n")
            for line in complete:
                client, told = line.decode().split(" ", 1)
                yield int(client), told
            if not self.selector.select(DEADLINE):
                raise AssertionError("a client said nothing for %d s: a call hangs" % DEADLINE)
            data = os.read(self.output, 65536)
            assert data, "the clients are gone"
            self.rest += data

    def changes(self, history):
        """Take note of all they do until the last of them finds no service."""
        left = CLIENTS
        for client, told in self.lines():
            word, *words = told.split()
            if word == "begin":
                key, version = words
                if "-" in key:
                    kind, slot = key.split("-")
                    key = "%s-%d-%s" % (kind, client, slot)
                history.begin(client, key, int(version))
            elif word == "end":
                assert words == ["0x0"], "client %d: %s for %s" % (client, words, history.keys)
                history.end(client)
            else:
                assert word == "over", told
                left -= 1
                if left == 0:
                    return

    def report(self, number):
        self.tell(number, "report")
        found = []
        for client, told in self.lines():
            assert client == number, "client %d speaks unasked: %s" % (client, told)
            if told.startswith("reported "):
                assert told == "reported 0x0", "the store does not open: %s" % told
                return found
            found.append(told)
        return None

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdin.close()
        self.selector.close()
        os.close(self.output)


# --- the store ---

def look_inside(path):
    """What the database holds: rows of each table and the settings. It is sound and without a journal."""
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % path, uri=True)) as database:
        sound = database.execute("PRAGMA integrity_check").fetchall()
        assert sound == [("ok",)], sound
        rows = {kind: sorted(database.execute(query).fetchall()) for kind, query in TABLES.items()}
        return rows, dict(database.execute("SELECT name, value FROM settings").fetchall())


def version_of(text, prefix):
    assert text.startswith(prefix), text
    return int(text[len(prefix):])


def key_of_address(kind, address):
    return "%s-%d-%d" % (kind, int(address.split(".")[2]), int(address.split(".")[3]) - 1)


def state_of(rows, settings):
    """The version of each key. Each key has one."""
    state = {}
    for kind, column in ("portal", 0), ("login", 1):
        for values in rows[kind]:
            key = key_of_address(kind, values[column])
            assert key not in state, "%s is there twice" % key
            state[key] = version_of(values[column + 2], "version ")
    for target, alias, *_ in rows["static"]:
        key = target.split(":")[1]
        assert key not in state, "%s is there twice" % key
        state[key] = version_of(alias, "version ")
    for key, name, prefix in ("name", "node_name", NAME), ("secret", "chap_secret", "secret-"):
        if name in settings:
            state[key] = version_of(settings[name].decode(), prefix)
    return state


def check_whole(state, rows, report, port):
    """Nothing is half there, and the service tells what the file holds."""
    for kind in TABLES:
        keys = [key for key in state if key.startswith(kind + "-")]
        assert sorted(row(key, state[key], port) for key in keys) == rows[kind], ("half of one: %s" % rows[kind])[:4000]
        wanted = sorted(reported(key, state[key], port) for key in keys)
        assert wanted == sorted(line for line in report if line.startswith(kind + " ")), \
            "expected\n%s\nbut the service told\n%s" % ("\n".join(wanted), "\n".join(report))
    if "name" in state:
        assert "name %s%d" % (NAME, state["name"]) in report, report[-1]


# --- the test ---

class Test:
    def __init__(self, build, seed, kills):
        self.random = random.Random(seed)
        self.kills = kills
        self.directory = tempfile.mkdtemp(prefix="crash-")
        self.store = os.path.join(self.directory, "store.db")
        self.refused = ports.RefusedPort()
        self.port = int(self.refused.portal.split(":")[1])
        environment = dict(os.environ, ISCSIDSC_STATE=self.directory, ISCSIDSC_SERVICE="require")
        self.clients = Clients(os.path.join(build, "crash_client"), environment, self.port)
        self.service = None
        self.count = collections.Counter()

    def start(self):
        self.service = test_service.Service(self.directory)

    def kill_after(self, most):
        time.sleep(self.random.uniform(0, most))
        self.service.stop(signal.SIGKILL)
        self.count["kills"] += 1
        journal = self.store + "-journal"
        self.count["journals left"] += os.path.exists(journal) and os.path.getsize(journal) > 0

    def restart(self):
        self.start()
        while self.count["kills"] < self.kills and self.random.random() < STARTS_KILLED:
            self.kill_after(STARTING_MOST)
            self.start()
        self.service.wait_event("started")

    def round(self, state):
        history = History(state)
        for number in range(CLIENTS):
            self.clients.tell(number, "go %d" % self.random.getrandbits(63))
        self.kill_after(RUNNING_MOST)
        self.clients.changes(history)
        self.restart()
        report = self.clients.report(self.random.randrange(CLIENTS))
        rows, settings = look_inside(self.store)
        state = state_of(rows, settings)
        check_whole(state, rows, report, self.port)
        self.compare(state, history)
        return state

    def compare(self, state, history):
        for key in list(history.keys):
            version, possible = state.get(key, 0), history.possible(key)
            assert version in possible, "%s: version %d is stored (0: nothing), but it can only be one of %s" \
                % (key, version, sorted(possible))
        for key in state:
            assert key in history.keys, "%s was never stored" % key
        self.count["acknowledged"] += history.acknowledged
        for change in history.running.values():
            self.count["cut off"] += 1
            self.count["cut off but stored"] += change.version in state.values()

    def run(self):
        state = {}
        self.start()
        self.service.wait_event("started")
        while self.count["kills"] < self.kills:
            state = self.round(state)
        code = self.service.stop()
        assert code == 0, "the last service ended with code %d\n%s" % (code, "\n".join(self.service.lines))
        # Otherwise the kills came when there was nothing to lose.
        for what in "acknowledged", "cut off", "cut off but stored":
            assert self.count[what] > 0, "none was %s: %s" % (what, self.count)

    def close(self):
        self.clients.close()
        self.service.stop(signal.SIGKILL)
        self.refused.close()
        shutil.rmtree(self.directory)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TEST_SEED", random.getrandbits(32))))
    parser.add_argument("--kills", type=int, default=200)
    arguments = parser.parse_args()
    test_service.BUILD = os.path.abspath(arguments.build)
    print("seed %d (TEST_SEED or --seed repeats it)" % arguments.seed, flush=True)
    begin = time.monotonic()
    with contextlib.closing(Test(test_service.BUILD, arguments.seed, arguments.kills)) as test:
        try:
            test.run()
        finally:
            print(", ".join("%s: %d" % item for item in sorted(test.count.items())),
                  "in %.1f s" % (time.monotonic() - begin), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
