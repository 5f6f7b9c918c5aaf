#!/usr/bin/env python3
"""The embedded target as a process: a thousand sessions, its end in order, and its end by force while data are written.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_target_process.py BUILD [TEST...]
"""

import os
import random
import signal
import struct
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
import peers  # noqa: E402
from rawiscsi import Initiator  # noqa: E402

NAME = peers.PREFIX + ":disk"
BLOCK = 512
BLOCKS = 2048
SESSIONS = 1000
KILLS = 6
ASYNC_LOGOUT_REQUESTED, ASYNC_DROP_CONNECTION = 1, 2


class Target(peers.Embedded):
    """A target with one disk."""

    kind = "embedded_process"

    def __init__(self, build, lun, *options):
        super().__init__(build)
        self.lun, self.more = lun, list(options)

    def options(self):
        path = self.path_of_disk()
        if not os.path.exists(path):
            with open(path, "wb") as disk:
                disk.truncate(BLOCKS * BLOCK)
        return ["--portal", "127.0.0.1:0", *self.more, "--target", NAME, "--lun", self.lun.replace("DISK", path)]

    def path_of_disk(self):
        return os.path.join(self.directory, "disk")

    def memory(self):
        """Bytes of its memory that are in use."""
        with open("/proc/%d/statm" % self.process.pid) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Writer(Initiator):
    """An initiator that writes without waiting for each answer."""

    def command(self, cdb, flags=0x80, expected=0, data=b""):
        header = struct.pack(">BBHI8xIIII16s", 0x01, flags, 0, len(data), self.command_number, expected, self.command_number,
                             self.status_number, cdb)
        self.command_number += 1
        self.socket.sendall(header + data)

    def write(self, block, data, force):
        self.command(struct.pack(">BBIBHB", 0x2a, 0x08 if force else 0, block, 0, len(data) // BLOCK, 0), 0xa0, len(data), data)

    def synchronize(self):
        self.command(struct.pack(">BBIBHB", 0x35, 0, 0, 0, 0, 0))

    def status(self):
        """Of the next command that is done."""
        header, _ = self.receive_pdu()
        if header[0] & 0x3f != 0x21:
            raise ValueError("opcode %#x came" % header[0])
        return header[3]

    def take_attentions(self):
        self.read_block(0, 0)


def content(block, number):
    return (struct.pack(">QQ", block, number) * (BLOCK // 16))


def write_until(writer, commands, rng):
    """Write until the connection breaks or so many commands are answered: what was sent to each block, what of it has to be
    there whatever happens, and what has to be there after a process' end."""
    sent, durable, written = {}, {}, {}
    number = 0
    answered = 0
    try:
        while True:
            batch = []
            for _ in range(rng.randrange(1, 24)):
                number += 1
                if rng.randrange(8) == 0:
                    batch.append(None)
                    writer.synchronize()
                    continue
                block, force = rng.randrange(BLOCKS), rng.randrange(6) == 0
                batch.append((block, number, force))
                sent.setdefault(block, set()).add(number)
                writer.write(block, content(block, number), force)
            for command in batch:
                if writer.status() != 0:
                    raise ValueError("a command failed")
                answered += 1
                if command is None:
                    durable.update(written)
                else:
                    written[command[0]] = command[1]
                    if command[2]:
                        durable[command[0]] = command[1]
                if answered == commands:
                    return sent, durable, written
    except OSError:
        return sent, durable, written


class Processes(unittest.TestCase):
    build = ""

    def test_a_thousand_sessions(self):
        with Target(self.build, "ram:1M") as target:
            with_one = Initiator(target.portals[0], NAME, qualifier=0xffff)
            before = target.memory()
            sessions = [Initiator(target.portals[0], NAME, qualifier=number) for number in range(SESSIONS)]
            used = (target.memory() - before) / SESSIONS
            for number, session in enumerate(sessions):
                block = number % BLOCKS
                self.assertEqual(session.read_block(0, block)[:8], struct.pack(">Q", block * BLOCK))
            for session in sessions[::2]:
                session.close()
            for session in sessions[1::2]:
                self.assertEqual(session.read_block(0, 5)[:8], struct.pack(">Q", 5 * BLOCK))
                session.close()
            self.assertEqual(with_one.read_block(0, 7)[:8], struct.pack(">Q", 7 * BLOCK))
            with_one.close()
            self.assertLess(used, 16384, "%d bytes for a session" % used)
            print("%d bytes for an idle session" % used)

    def test_goodbye(self):
        with Target(self.build, "ram:1M", "--goodbye", "20") as target:
            initiator = Initiator(target.portals[0], NAME)
            target.process.send_signal(signal.SIGTERM)
            header, _ = initiator.receive_pdu()
            self.assertEqual((header[0], header[36]), (0x32, ASYNC_LOGOUT_REQUESTED))
            self.assertEqual(struct.unpack(">H", header[42:44])[0], 20)
            answer, _ = initiator.exchange(struct.pack(">BBxx4x8xIHxxII16x", 0x46, 0x80, 9, 0, initiator.command_number,
                                                       initiator.status_number))
            self.assertEqual((answer[0], answer[2]), (0x26, 0))
            self.assertEqual(initiator.socket.recv(1), b"")
            initiator.close()
            self.assertEqual(target.process.wait(10), 0)

    def test_dropped_after_a_while(self):
        with Target(self.build, "ram:1M", "--goodbye", "1") as target:
            initiator = Initiator(target.portals[0], NAME)
            target.process.send_signal(signal.SIGTERM)
            self.assertEqual(initiator.receive_pdu()[0][36], ASYNC_LOGOUT_REQUESTED)
            self.assertEqual(initiator.receive_pdu()[0][36], ASYNC_DROP_CONNECTION)
            self.assertEqual(initiator.socket.recv(1), b"")
            initiator.close()
            self.assertEqual(target.process.wait(10), 0)

    def kill_while_writing(self, lun, needed):
        """`needed` chooses what has to be there of (durable, written)."""
        for seed in range(KILLS):
            rng = random.Random(seed)
            with Target(self.build, lun) as target:
                writer = Writer(target.portals[0], NAME)
                writer.take_attentions()
                commands = rng.randrange(50, 1500)
                sent, durable, written = write_until(writer, commands, rng)
                target.process.kill()
                target.process.wait()
                writer.close()
                with open(target.path_of_disk(), "rb") as file:
                    disk = file.read()
            for block, number in needed(durable, written).items():
                found = disk[block * BLOCK:(block + 1) * BLOCK]
                there = struct.unpack(">Q", found[8:16])[0]
                self.assertEqual(found, content(block, there), "seed %d: block %d is torn" % (seed, block))
                self.assertGreaterEqual(there, number, "seed %d: block %d has %d, but %d was acknowledged"
                                        % (seed, block, there, number))
                self.assertIn(there, sent[block])
            self.assertGreater(len(needed(durable, written)), 10)

    def test_killed_what_was_acknowledged_is_there(self):
        self.kill_while_writing("file:DISK", lambda durable, written: written)

    def test_power_cut_what_was_made_to_last_is_there(self):
        self.kill_while_writing("file:DISK,cached", lambda durable, written: durable)


if __name__ == "__main__":
    Processes.build = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
