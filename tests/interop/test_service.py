#!/usr/bin/env python3
"""The service as an administrator and the programs of a machine see it: started by hand, on demand and by a service
manager, asked by iscsicli, knocked at by strangers, stopped, killed and started again.

    python3 tests/harness/run.py --peers embedded --build BUILD -- tests/interop/test_service.py BUILD [TEST...]

In a Windows BUILD the tests of Wine run, with the native programs of the Linux build beside it; in a Linux one, the others.
"""

import contextlib
import grp
import hashlib
import hmac
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
import peers  # noqa: E402
import ports  # noqa: E402
from service import services_of, unmount_below  # noqa: E402
import wineprefix  # noqa: E402

BUILD = ""  # of the native programs
WINDOWS_BUILD = ""  # of the Windows ones, when those are to be tested
DEADLINE = 60
OPEN_TARGET = "iqn.2026-11.org.example:open"
SUCCESS = "The operation completed successfully."
NOT_RUNNING_TEXT = "The iSCSI initiator service is not running."
ACCESS_DENIED = 5
PING, HELLO, PROOF, REFUSAL = 0xFF00, 0xFF01, 0xFF02, 0xFF03
VERSION = 1
NOBODY = 65534


def statuses():
    """The engine's statuses by number."""
    with open(os.path.join(ROOT, "iscsidsc", "protocol", "status.h")) as header:
        return re.findall(r"\bS\((\w+), \"", header.read())


def program(name):
    return os.path.join(BUILD, name)


def wait_for(condition, what, seconds=DEADLINE):
    ports.wait_until(condition, what, seconds)


def operation_number(name):
    with open(os.path.join(ROOT, "iscsidsc", "engine", "operations.h")) as header:
        return int(re.search(r"OPERATION\((\d+), %s," % name, header.read()).group(1))


# --- what speaks to the service without its library ---

def message(operation, body=b"", call=0, version=VERSION):
    return struct.pack("<IHHII", 12 + len(body), version, operation, call, 0) + body


def read_exactly(connection, length):
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise EOFError("the connection ended after %d of %d bytes" % (len(data), length))
        data += part
    return data


def read_message(connection):
    """(version, operation, status's name, body)"""
    length, version, operation, _, status = struct.unpack("<IHHII", read_exactly(connection, 16))
    return version, operation, statuses()[status], read_exactly(connection, length - 12)


def connect_local(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(DEADLINE)
    # A path that is too long for the address is reached through its directory.
    directory = os.open(os.path.dirname(path), os.O_PATH)
    try:
        connection.connect("/proc/self/fd/%d/%s" % (directory, os.path.basename(path)))
    finally:
        os.close(directory)
    return connection


class Credentials:
    """What the files beside the socket tell."""

    def __init__(self, base):
        with open(base + ".port") as file:
            self.port, instance = re.fullmatch(r"port (\d+)\ninstance ([0-9a-f]{32})\n", file.read()).groups()
        with open(base + ".key") as file:
            self.key = bytes.fromhex(re.fullmatch(r"([0-9a-f]{64})\n", file.read()).group(1))
        self.port, self.instance = int(self.port), bytes.fromhex(instance)

    def proof(self, role, client_nonce, service_nonce):
        text = b"iscsidsc door %s\0" % role + struct.pack("<HH", VERSION, self.port)
        return hmac.new(self.key, text + self.instance + client_nonce + service_nonce, hashlib.sha256).digest()


def connect_loopback(credentials):
    connection = socket.create_connection(("127.0.0.1", credentials.port), DEADLINE)
    return connection


def shake_hands(credentials, nonce=None):
    """A connection up to the client's proof, which comes with it."""
    nonce = nonce or os.urandom(32)
    connection = connect_loopback(credentials)
    connection.sendall(message(HELLO, nonce))
    _, operation, status, body = read_message(connection)
    assert (operation, status) == (HELLO, "OK"), (operation, status)
    service_nonce, proof = body[:32], body[32:]
    return connection, service_nonce, proof, credentials.proof(b"client", nonce, service_nonce)


# --- processes ---

class Service:
    """iscsidscd in the foreground."""

    def __init__(self, state, *options, command=(), environment=None, **popen):
        self.state = state
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [*command, program("iscsidscd"), "--foreground", *options], stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
            env=dict(environment or os.environ, ISCSIDSC_STATE=state), preexec_fn=peers.die_with_parent, **popen)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def wait_event(self, event, count=1):
        """The line of the count-th event of that name."""
        def found():
            return [line for line in self.lines if " event=%s" % event in line]
        with self.changed:
            if not self.changed.wait_for(lambda: len(found()) >= count or self.process.poll() is not None, DEADLINE) \
                    or len(found()) < count:
                raise AssertionError("no %s in the log:\n%s" % (event, "\n".join(self.lines)))
            return found()[count - 1]

    def base(self):
        return os.path.join(self.state, "door")

    def stop(self, how=signal.SIGTERM):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.wait()
        self.process.stderr.close()
        return code

    def wait(self):
        code = self.process.wait(DEADLINE)
        self.reader.join(DEADLINE)
        return code

    def connections(self):
        """How many sockets it has open."""
        count, directory = 0, "/proc/%d/fd" % self.process.pid
        for name in os.listdir(directory):
            with contextlib.suppress(OSError):
                count += os.readlink(os.path.join(directory, name)).startswith("socket:")
        return count

    def memory(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))


class Case(unittest.TestCase):
    longMessage = True
    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="service-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.state = os.path.join(directory.name, "state")
        self.addCleanup(self.end_services)
        self.portal = os.environ.get("TEST_EMBEDDED_PORTAL")

    def end_services(self):
        for pid in services_of(self.directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not services_of(self.directory), "the services to end")
        unmount_below(self.directory)

    def serve(self, *options, **more):
        service = Service(self.state, *options, **more)
        self.addCleanup(service.stop, signal.SIGKILL)
        service.wait_event("started")
        return service

    def environment(self, mode="auto", **variables):
        return dict(os.environ, ISCSIDSC_STATE=self.state, ISCSIDSC_SERVICE=mode, **variables)

    def ask(self, *arguments, mode="require", **more):
        """iscsicli's exit code and output."""
        done = subprocess.run([program("iscsicli"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=DEADLINE, check=False,
                              env=more.pop("env", None) or self.environment(mode), **more)
        return done.returncode, done.stdout

    def succeed(self, *arguments, **more):
        code, output = self.ask(*arguments, **more)
        self.assertEqual(code, 0, output)
        self.assertIn(SUCCESS, output)
        return output

    def assert_not_running(self, *arguments, **more):
        code, output = self.ask(*arguments, **more)
        self.assertIn(NOT_RUNNING_TEXT, output)
        self.assertEqual(code, 0x3E, output)

    def log_in(self, **more):
        """Adds the embedded target's portal and logs in; the session's id."""
        address, port = self.portal.rsplit(":", 1)
        self.succeed("AddTargetPortal", address, port, **more)
        output = self.succeed("QLoginTarget", OPEN_TARGET, **more)
        return re.search(r"Session Id is (\S+)", output).group(1)

    def sessions(self, **more):
        output = self.succeed("SessionList", **more)
        return re.findall(r"^Session Id +: (\S+)$", output, re.M)


@unittest.skipIf(os.environ.get("TEST_EMBEDDED_PORTAL") is None, "needs the embedded target")
class Sessions(Case):
    def test_a_session_outlives_its_program(self):
        self.serve()
        session = self.log_in()
        self.assertEqual(self.sessions(), [session.replace("0x", "")])
        self.succeed("LogoutTarget", session)
        self.assertEqual(self.sessions(), [])

    def test_stopping_logs_out(self):
        service = self.serve()
        self.log_in()
        begin = time.monotonic()
        self.assertEqual(service.stop(), 0)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("event=stopped", service.lines[-1])

    def test_a_client_killed_in_the_middle_of_a_call_leaves_nothing(self):
        """What only it waited for ends with it: here a login to a target that never answers."""
        service = self.serve()
        self.succeed("AddTargetPortal", *self.portal.rsplit(":", 1))
        wait_for(lambda: service.connections() == 2, "nobody to be there but the listening sockets")
        silent = os.environ["TEST_SILENT_PORTAL"].rsplit(":", 1)
        for _ in range(5):
            client = subprocess.Popen([program("iscsicli"), "LoginTarget", OPEN_TARGET, "T", *silent, *["*"] * 13, "0"],
                                      stdout=subprocess.DEVNULL, env=self.environment("require"))
            wait_for(lambda: service.connections() == 4, "the service to call the target")
            client.kill()
            client.wait()
            wait_for(lambda: service.connections() == 2, "the connections to end", 10)
        self.assertEqual(self.sessions(), [])
        self.assertEqual(service.stop(), 0)


class Running(Case):
    def test_it_starts_answers_and_stops(self):
        service = self.serve()
        self.assertRegex(service.lines[0], r"^time=\S+Z level=info event=started pid=%d state=%s place=%s port=\d+ activated=no$"
                         % (service.process.pid, re.escape(self.state), re.escape(service.base())))
        self.succeed("ListInitiators")
        modes = {name: stat.S_IMODE(os.stat(os.path.join(self.state, name)).st_mode)
                 for name in (".", "door.sock", "door.key", "door.port")}
        self.assertEqual(modes, {".": 0o700, "door.sock": 0o600, "door.key": 0o600, "door.port": 0o600})
        self.assertEqual(service.stop(), 0)
        self.assertEqual(sorted(set(os.listdir(self.state)) & {"door.sock", "door.port", "door.key"}), ["door.key"])
        self.assert_not_running("ListInitiators")

    def test_it_goes_to_the_background_when_it_is_ready(self):
        done = subprocess.run([program("iscsidscd"), "--state", self.state], timeout=DEADLINE, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.succeed("ListInitiators")
        pid, = services_of(self.state)
        self.assertEqual(os.getsid(pid), pid)
        self.assertEqual(os.readlink("/proc/%d/cwd" % pid), "/")

    def test_the_only_one(self):
        self.serve()
        second = Service(self.state)
        self.assertEqual(second.wait(), 1)
        self.assertIn("event=already-running", second.lines[-1])
        second.stop()
        third = Service(self.state, "--on-demand")
        self.assertEqual(third.wait(), 0)
        third.stop()

    def test_a_killed_one_is_replaced(self):
        first = self.serve()
        self.assertEqual(first.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertTrue(os.path.exists(os.path.join(self.state, "door.sock")))
        self.assert_not_running("ListInitiators")
        self.serve()
        self.succeed("ListInitiators")

    def test_what_is_stored_survives_a_kill(self):
        first = self.serve()
        self.succeed("NodeName", "iqn.2026-11.org.example:kept")
        first.stop(signal.SIGKILL)
        self.serve()
        code, output = self.ask("ListTargets")
        self.assertEqual(code, 0, output)
        with subprocess.Popen([program("iscsicli")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=self.environment("require")) as shell:
            self.assertIn("[iqn.2026-11.org.example:kept]", shell.communicate("", timeout=DEADLINE)[0])

    def test_one_that_hangs_is_given_up(self):
        service = self.serve()
        service.process.send_signal(signal.SIGSTOP)
        code, output = self.ask("ListInitiators", mode="auto")
        service.process.send_signal(signal.SIGCONT)
        self.assertEqual(code, 0x39, output)
        self.succeed("ListInitiators")

    def test_socket_paths_may_be_long_and_elsewhere(self):
        path = os.path.join(self.directory, *["a-directory-with-a-long-name"] * 5)
        os.makedirs(path)
        os.chmod(path, 0o711)
        path = os.path.join(path, "other.sock")
        self.serve("--socket", path)
        self.succeed("ListInitiators", env=self.environment("require", ISCSIDSC_SOCKET=path))
        self.succeed("ListInitiators", env=self.environment("require", ISCSIDSC_SOCKET=path[:-len(".sock")]))
        self.assert_not_running("ListInitiators")
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o711, "a directory was changed")

    def test_bad_command_lines_are_refused(self):
        for arguments in ["--frobnicate"], ["--idle"], ["--idle", "soon"], ["--state"], ["--state", ""], ["extra"]:
            with self.subTest(arguments=arguments):
                done = subprocess.run([program("iscsidscd"), *arguments], stdout=subprocess.PIPE, timeout=DEADLINE,
                                      stderr=subprocess.STDOUT, text=True, check=False)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertTrue(done.stdout.startswith("iscsidscd: "), done.stdout)
        done = subprocess.run([program("iscsidscd"), "--help"], stdout=subprocess.PIPE, text=True, timeout=DEADLINE,
                              check=True)
        self.assertIn("--check-config", done.stdout)

    def test_nothing_is_started_without_a_state_directory(self):
        with open(self.state, "w"):
            pass
        service = Service(self.state)
        self.assertEqual(service.wait(), 1)
        self.assertIn("event=no-state", service.lines[-1])
        service.stop()


class Configuration(Case):
    def configure(self, text):
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        with open(os.path.join(self.state, "iscsi.conf"), "w") as file:
            file.write(text)

    def check(self, *file):
        return subprocess.run([program("iscsidscd"), "--state", self.state, "--check-config", *file], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=DEADLINE, check=False)

    def test_check(self):
        self.configure("LoginTimeout = 5\n")
        self.assertEqual(self.check().returncode, 0)
        self.configure("LoginTimeout = soon\n")
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertIn("iscsi.conf:1:16: LoginTimeout is \"soon\"", done.stdout)
        self.configure("ServiceGroup = no such group\n")
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertIn("iscsi.conf:1:16: ServiceGroup: there is no group \"no such group\"", done.stdout)
        self.configure("LoopDevices = \\\n  maybe\n")
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertIn("iscsi.conf:2:3: LoopDevices: neither yes, no nor auto: \"maybe\"", done.stdout)

    def test_check_tells_everything(self):
        self.configure("Typo = 1\nPassword = short\n\nTargetName = iqn.2026-11.org.example:a\n  Continuous = yes\n")
        done = self.check()
        self.assertEqual(done.returncode, 1)
        problems = [line.partition("iscsi.conf:")[2].partition(" ")[0] for line in done.stdout.splitlines()]
        self.assertEqual(problems, ["1:1:", "2:12:", "5:3:"])
        self.assertNotIn("short", done.stdout)

    def test_check_of_a_file(self):
        other = os.path.join(os.path.dirname(self.state), "other.conf")
        with open(other, "w") as file:
            file.write("Password = longenough12\n")
        os.chmod(other, 0o644)
        done = self.check(other)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("warning: " + other + ": holds passwords, and others can read it", done.stdout)
        os.chmod(other, 0o600)
        self.assertNotIn("warning", self.check(other).stdout)
        os.remove(other)
        done = self.check(other)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no such file", done.stdout)

    def test_the_sample_is_valid_as_it_is_and_without_its_marks(self):
        sample = os.path.join(ROOT, "samples", "iscsi.conf")
        self.assertEqual(self.check(sample).stdout, "The configuration is valid.\n")
        with open(sample) as file:
            self.configure(re.sub(r"^#(?=\w+ = )", "", file.read(), flags=re.M))
        self.assertEqual(self.check().stdout, "The configuration is valid.\n")

    def test_a_bad_one_is_refused_at_the_start(self):
        self.configure("Typo = 1\n")
        service = Service(self.state)
        self.assertEqual(service.wait(), 1)
        self.assertIn("event=bad-configuration", service.lines[-1])
        service.stop()

    def test_it_is_read_again(self):
        service = self.serve()
        self.configure("Typo = 1\n")
        service.process.send_signal(signal.SIGHUP)
        self.assertIn("Typo", service.wait_event("bad-configuration"))
        self.succeed("ListInitiators")
        self.configure("TCPConnectTime = 3\nServiceGroup = %s\n" % grp.getgrgid(os.getgid()).gr_name)
        service.process.send_signal(signal.SIGHUP)
        service.wait_event("configured")
        self.assertEqual(stat.S_IMODE(os.stat(service.base() + ".sock").st_mode), 0o660)
        self.assertEqual(stat.S_IMODE(os.stat(service.base() + ".key").st_mode), 0o640)
        self.succeed("ListInitiators")
        self.assertEqual(service.stop(), 0)

    def test_loopback_can_be_turned_off(self):
        self.configure("ServiceLoopback = No\n")
        service = self.serve()
        self.assertIn(" port=0 ", service.lines[0])
        self.assertFalse(os.path.exists(service.base() + ".port"))
        self.succeed("ListInitiators")


class OnDemand(Case):
    def test_it_is_started_and_found_again(self):
        self.succeed("NodeName", "iqn.2026-11.org.example:found", mode="auto")
        first = services_of(self.state)
        self.assertEqual(len(first), 1)
        self.succeed("ListInitiators", mode="auto")
        self.succeed("ListInitiators", mode="require")
        self.assertEqual(services_of(self.state), first)

    def test_relative_directories(self):
        environment = dict(self.environment("auto"), ISCSIDSC_STATE="state")
        self.succeed("NodeName", "iqn.2026-11.org.example:found", env=environment, cwd=self.directory)
        pid, = [int(name) for name in os.listdir("/proc") if name.isdigit() and self.holds(name, "state/service.lock")]
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.assertTrue(os.path.exists(os.path.join(self.state, "store.db")))
        self.succeed("ListInitiators", mode="require")

    def holds(self, pid, name):
        """Does the process have that file open?"""
        with contextlib.suppress(OSError):
            return any(os.readlink("/proc/%s/fd/%s" % (pid, file)) == os.path.join(self.directory, name)
                       for file in os.listdir("/proc/%s/fd" % pid))
        return False

    def test_fifty_at_once_start_one(self):
        clients = [subprocess.Popen([program("iscsicli"), "ListInitiators"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                    env=self.environment("auto")) for _ in range(50)]
        for client in clients:
            output = client.communicate(timeout=DEADLINE)[0]
            self.assertEqual(client.returncode, 0, output)
        wait_for(lambda: len(services_of(self.state)) == 1, "one service to be left")
        # None of them was served by an engine of its own: all have asked the one.
        self.succeed("ListInitiators", mode="require")

    def test_never_starts_none(self):
        self.succeed("ListInitiators", mode="never")
        self.assertEqual(services_of(self.state), [])

    def test_require_starts_none(self):
        self.assert_not_running("ListInitiators", mode="require")
        self.assertEqual(services_of(self.state), [])

    def test_other_words_are_refused(self):
        code, output = self.ask("ListInitiators", mode="always")
        self.assertEqual(code, 1610 & 0xFF, output)

    def test_without_the_program_the_engine_is_the_callers(self):
        alone = os.path.join(self.directory, "alone")
        os.mkdir(alone)
        for name in "iscsicli", "libiscsidsc.so.0":
            shutil.copy(program(name), alone)
        environment = self.environment("auto", LD_LIBRARY_PATH=alone)
        done = subprocess.run([os.path.join(alone, "iscsicli"), "ListInitiators"], env=environment, check=False,
                              stdout=subprocess.PIPE, timeout=DEADLINE, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(services_of(self.state), [])

    def test_a_program_that_all_may_change_is_not_run(self):
        shared = os.path.join(self.directory, "shared")
        os.mkdir(shared)
        for name in "iscsicli", "libiscsidsc.so.0", "iscsidscd":
            shutil.copy(program(name), shared)
        os.chmod(os.path.join(shared, "iscsidscd"), 0o777)
        environment = self.environment("auto", LD_LIBRARY_PATH=shared)
        subprocess.run([os.path.join(shared, "iscsicli"), "ListInitiators"], env=environment, check=True,
                       stdout=subprocess.DEVNULL, timeout=DEADLINE)
        self.assertEqual(services_of(self.state), [])

    def test_a_service_that_cannot_start_does_no_harm(self):
        os.mkdir(self.state, 0o700)
        os.symlink("/nowhere/at/all", os.path.join(self.state, "service.lock"))
        self.succeed("ListInitiators", mode="auto")
        wait_for(lambda: not services_of(self.state), "the service to have ended")

    def test_the_callers_descriptors_are_not_kept(self):
        reading, writing = os.pipe()
        self.succeed("ListInitiators", mode="auto", pass_fds=[writing])
        os.close(writing)
        with open(reading, "rb") as pipe:
            self.assertEqual(pipe.read(), b"", "something came")  # the end comes only when nobody has it open
        self.assertEqual(len(services_of(self.state)), 1)

    def test_the_callers_children_are_its_own(self):
        """A program that waits for its children, or is told of their ends, does not see the start."""
        code = ("import ctypes, os, signal\n"
                "told = []\n"
                "signal.signal(signal.SIGCHLD, lambda *_: told.append(1))\n"
                "library = ctypes.CDLL(%r)\n"
                "size = ctypes.c_uint32(0)\n"
                "library.ReportIScsiInitiatorListA(ctypes.byref(size), None)\n"
                "try:\n"
                "    os.waitpid(-1, os.WNOHANG)\n"
                "    print('a child')\n"
                "except ChildProcessError:\n"
                "    print('no child', len(told), size.value > 2)\n" % program("libiscsidsc.so"))
        done = subprocess.run([sys.executable, "-c", code], env=self.environment("auto"), stdout=subprocess.PIPE,
                              text=True, timeout=DEADLINE, check=True)
        self.assertEqual(done.stdout, "no child 0 True\n")
        self.assertEqual(len(services_of(self.state)), 1)

    def test_a_forked_child_asks_on_its_own(self):
        code = ("import ctypes, os\n"
                "library = ctypes.CDLL(%r)\n"
                "def ask():\n"
                "    size = ctypes.c_uint32(0)\n"
                "    return library.ReportIScsiInitiatorListA(ctypes.byref(size), None) & 0xffffffff, size.value > 2\n"
                "first = ask()\n"
                "child = os.fork()\n"
                "for _ in range(50):\n"
                "    assert ask() == first\n"
                "if child == 0:\n"
                "    os._exit(0)\n"
                "print(first, os.waitpid(child, 0)[1])\n" % program("libiscsidsc.so"))
        done = subprocess.run([sys.executable, "-c", code], env=self.environment("auto"), stdout=subprocess.PIPE,
                              text=True, timeout=DEADLINE, check=True)
        self.assertEqual(done.stdout, "(122, True) 0\n")
        self.assertEqual(len(services_of(self.state)), 1)

    def test_it_ends_when_idle(self):
        service = self.serve("--on-demand", "--idle", "1")
        self.assertEqual(service.wait(), 0)
        self.assertIn("event=stopping reason=idle", " ".join(service.lines))
        self.assertFalse(os.path.exists(service.base() + ".sock"))

    @unittest.skipIf(os.environ.get("TEST_EMBEDDED_PORTAL") is None, "needs the embedded target")
    def test_it_stays_while_there_is_a_session(self):
        service = self.serve("--on-demand", "--idle", "1")
        session = self.log_in()
        with self.assertRaises(subprocess.TimeoutExpired):
            service.process.wait(3)
        self.succeed("LogoutTarget", session)
        self.assertEqual(service.wait(), 0)

    def test_it_stays_while_there_is_a_target_that_is_not_stored(self):
        target = "iqn.2026-11.org.example:for-now"
        service = self.serve("--on-demand", "--idle", "1")
        self.succeed("AddTarget", target, "*", "*", "*", "*", "F", *["*"] * 9, "0")
        with self.assertRaises(subprocess.TimeoutExpired):
            service.process.wait(3)
        self.assertIn(target, self.succeed("ListTargets"))
        self.succeed("RemoveTarget", target)
        self.assertEqual(service.wait(), 0)

    def test_it_stays_while_somebody_is_connected(self):
        service = self.serve("--on-demand", "--idle", "1")
        with connect_local(service.base() + ".sock"):
            with self.assertRaises(subprocess.TimeoutExpired):
                service.process.wait(3)
        self.assertEqual(service.wait(), 0)

    def test_nobody_is_lost_when_services_end(self):
        """Each client comes while the service of the one before is ending."""
        for _ in range(25):
            self.succeed("ListInitiators", mode="auto")
            for pid in services_of(self.state):
                os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not services_of(self.state), "the services to end")


class Manager(Case):
    """What systemd does."""

    def test_readiness_is_told(self):
        path = os.path.join(self.directory, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(DEADLINE)
            service = Service(self.state, environment=dict(os.environ, NOTIFY_SOCKET=path))
            self.addCleanup(service.stop, signal.SIGKILL)
            self.assertEqual(manager.recv(1000), b"READY=1")
            service.process.send_signal(signal.SIGHUP)
            self.assertRegex(manager.recv(1000), rb"^RELOADING=1\nMONOTONIC_USEC=\d+$")
            self.assertEqual(manager.recv(1000), b"READY=1")
            service.process.send_signal(signal.SIGTERM)
            self.assertEqual(manager.recv(1000), b"STOPPING=1")
            self.assertEqual(service.wait(), 0)

    def test_abstract_notify_sockets(self):
        name = "iscsidsc-test-%d" % os.getpid()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("\0" + name)
            manager.settimeout(DEADLINE)
            service = Service(self.state, environment=dict(os.environ, NOTIFY_SOCKET="@" + name))
            self.addCleanup(service.stop, signal.SIGKILL)
            self.assertEqual(manager.recv(1000), b"READY=1")

    def test_a_socket_is_taken_over(self):
        os.mkdir(self.state, 0o700)
        path = os.path.join(self.state, "door.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(path)
            listener.listen(16)
            # Somebody connects before the service is there, and is served when it is.
            early = connect_local(path)
            early.sendall(message(PING, call=7))
            wrapper = "exec 3<&%d; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"" % listener.fileno()
            service = Service(self.state, "--idle", "1", command=["bash", "-c", wrapper, "bash"],
                              pass_fds=[listener.fileno()])
            self.addCleanup(service.stop, signal.SIGKILL)
            self.assertIn("activated=yes", service.wait_event("started"))
            self.assertEqual(read_message(early)[:3], (VERSION, PING, "OK"))
            early.close()
            self.succeed("ListInitiators")
            self.assertEqual(service.wait(), 0, "\n".join(service.lines))
            self.assertTrue(os.path.exists(path), "the manager's socket was removed")


class Strangers(Case):
    def knock(self, connection, data):
        """What the service says to that, until it closes."""
        connection.settimeout(DEADLINE)
        with connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(data)
            answers = []
            with contextlib.suppress(EOFError, ConnectionError):
                while True:
                    answers.append(read_message(connection)[1:3])
            return answers

    def test_who_knows_the_key_comes_in(self):
        service = self.serve()
        connection, service_nonce, proof, mine = shake_hands(Credentials(service.base()), nonce=b"n" * 32)
        self.assertEqual(proof, Credentials(service.base()).proof(b"service", b"n" * 32, service_nonce))
        with connection:
            connection.sendall(message(PROOF, mine))
            self.assertEqual(read_message(connection)[1:3], (PROOF, "OK"))
            connection.sendall(message(operation_number("list_sessions"), call=5))
            self.assertEqual(read_message(connection)[1:3], (operation_number("list_sessions"), "OK"))

    def test_a_wrong_key_is_refused(self):
        service = self.serve()
        credentials = Credentials(service.base())
        credentials.key = bytes(32)
        connection, _, _, mine = shake_hands(credentials)
        self.assertEqual(self.knock(connection, message(PROOF, mine)), [(REFUSAL, "ACCESS_DENIED")])
        self.assertIn("status=ACCESS_DENIED", service.wait_event("client-refused"))

    def test_a_replayed_handshake_is_refused(self):
        credentials = Credentials(self.serve().base())
        connection, _, _, mine = shake_hands(credentials, nonce=b"r" * 32)
        with connection:
            connection.sendall(message(PROOF, mine))
            self.assertEqual(read_message(connection)[1:3], (PROOF, "OK"))
        again, _, _, _ = shake_hands(credentials, nonce=b"r" * 32)
        self.assertEqual(self.knock(again, message(PROOF, mine)), [(REFUSAL, "ACCESS_DENIED")])

    def test_calls_without_proof_are_refused(self):
        credentials = Credentials(self.serve().base())
        for data in (message(operation_number("list_sessions")), message(PING), message(PROOF, bytes(32)),
                     message(HELLO, bytes(31)), message(HELLO, bytes(500)), b"\xff" * 600,
                     b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            with self.subTest(data=data[:20]):
                answers = self.knock(connect_loopback(credentials), data)
                self.assertEqual([answer[0] for answer in answers], [REFUSAL], answers)
        self.succeed("ListInitiators")

    def test_other_versions_are_told_so(self):
        service = self.serve()
        for version in 0, 2, 65535:
            with self.subTest(version=version):
                data = message(PING, version=version)
                for connection in connect_loopback(Credentials(service.base())), connect_local(service.base() + ".sock"):
                    self.assertEqual(self.knock(connection, data), [(REFUSAL, "SERVICE_VERSION")])

    def test_ten_thousand_strangers(self):
        service = self.serve()
        credentials = Credentials(service.base())
        before = service.connections()
        most, connections = 0, []
        for number in range(10000):
            connections.append(connect_loopback(credentials))
            if number % 3 == 1:
                with contextlib.suppress(ConnectionError):
                    connections[-1].send(message(HELLO, bytes(32))[:number % 48])
            if number % 500 == 0:
                most = max(most, service.connections())
                self.succeed("ListInitiators")
            if len(connections) > 400:
                for connection in connections[:200]:
                    connection.close()
                del connections[:200]
        most = max(most, service.connections())
        # Those who know the key come in while the strangers are there.
        connection, _, _, mine = shake_hands(credentials)
        with connection:
            connection.sendall(message(PROOF, mine))
            self.assertEqual(read_message(connection)[1:3], (PROOF, "OK"))
        for connection in connections:
            connection.close()
        self.assertLess(most, before + 80)
        self.assertLess(service.memory(), 100000)
        wait_for(lambda: service.connections() <= before, "the service to forget the strangers")
        self.succeed("ListInitiators")
        self.assertEqual(service.stop(), 0)

    def test_garbage_on_the_socket(self):
        service = self.serve()
        path = service.base() + ".sock"
        for seed in range(60):
            data = hashlib.sha512(b"%d" % seed).digest() * 4
            if seed % 2:  # a header that is believed, and garbage behind it
                data = message(seed // 2 % 20, data)
            with connect_local(path) as connection, contextlib.suppress(ConnectionError):
                connection.sendall(data)
        self.succeed("ListInitiators")
        self.assertEqual(service.stop(), 0)


@unittest.skipUnless(os.getuid() == 0, "needs root to become others")
class Others(Case):
    """Other users of the machine."""

    def setUp(self):
        super().setUp()
        os.chmod(self.directory, 0o755)
        self.place = os.path.join(self.directory, "meeting")
        os.mkdir(self.place, 0o755)
        self.path = os.path.join(self.place, "door.sock")
        # Others must be able to read the programs, too.
        self.programs = os.path.join(self.directory, "programs")
        os.mkdir(self.programs, 0o755)
        for name in "iscsicli", "libiscsidsc.so.0":
            shutil.copy(program(name), self.programs)
            os.chmod(os.path.join(self.programs, name), 0o755)

    def ask_as(self, groups, *arguments):
        home = os.path.join(self.directory, "home")
        os.makedirs(home, exist_ok=True)
        os.chown(home, NOBODY, NOBODY)
        environment = {"ISCSIDSC_SOCKET": self.path, "ISCSIDSC_SERVICE": "auto", "PATH": os.environ["PATH"],
                       "HOME": home, "LD_LIBRARY_PATH": self.programs}
        done = subprocess.run([os.path.join(self.programs, "iscsicli"), *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE,
                              env=environment, user=NOBODY, group=NOBODY, extra_groups=groups, check=False)
        return done.returncode, done.stdout

    def serve_groups(self, text):
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        with open(os.path.join(self.state, "iscsi.conf"), "w") as file:
            file.write(text)
        return self.serve("--socket", self.path)

    def test_strangers_are_refused(self):
        service = self.serve_groups("")
        os.chmod(self.path, 0o666)  # the mode is not what keeps them out
        code, output = self.ask_as([], "ListInitiators")
        self.assertEqual(code, ACCESS_DENIED, output)
        self.assertIn("uid=%d" % NOBODY, service.wait_event("client-refused"))
        os.chmod(self.path, 0o600)
        code, output = self.ask_as([], "ListInitiators")
        self.assertEqual(code, ACCESS_DENIED, output)
        with self.assertRaises(PermissionError), open(os.path.join(self.place, "door.key")) as _:
            os.seteuid(NOBODY)
            try:
                with open(os.path.join(self.place, "door.key")):
                    pass
            finally:
                os.seteuid(0)

    def test_a_flood_of_strangers(self):
        service = self.serve_groups("")
        os.chmod(self.path, 0o666)
        child = os.fork()
        if child == 0:
            os.setresuid(NOBODY, NOBODY, NOBODY)
            for _ in range(2000):
                with contextlib.suppress(OSError):
                    with socket.socket(socket.AF_UNIX) as connection:
                        connection.connect(self.path)
                        connection.send(message(PING))
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.succeed("ListInitiators", env=self.environment("require", ISCSIDSC_SOCKET=self.path))
        self.assertLess(len([line for line in service.lines if "client-refused" in line]), 5)

    def test_the_group_may_do_all(self):
        self.serve_groups("ServiceGroup = 4242\n")
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o660)
        self.assertEqual(os.stat(self.path).st_gid, 4242)
        self.assertEqual(self.ask_as([4242], "NodeName", "iqn.2026-11.org.example:group")[0], 0)
        self.assertEqual(self.ask_as([4243], "ListInitiators")[0], ACCESS_DENIED)

    def test_the_other_group_may_only_look(self):
        self.serve_groups("ServiceGroup = 4242\nServiceReadGroup = 4243\n")
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.place, "door.key")).st_mode), 0o640)
        self.assertEqual(self.ask_as([4243], "ListInitiators")[0], 0)
        code, output = self.ask_as([4243], "NodeName", "iqn.2026-11.org.example:reader")
        self.assertEqual(code, ACCESS_DENIED, output)
        self.assertEqual(self.ask_as([4242], "NodeName", "iqn.2026-11.org.example:group")[0], 0)
        self.assertEqual(self.ask_as([4244], "ListInitiators")[0], ACCESS_DENIED)

    def test_an_impostor_is_not_believed(self):
        """Another user listens where the service should."""
        os.chmod(self.place, 0o777)
        ready, tell = os.pipe()
        child = os.fork()
        if child == 0:
            os.setresuid(NOBODY, NOBODY, NOBODY)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(self.path)
            os.chmod(self.path, 0o666)
            listener.listen(5)
            os.write(tell, b"x")
            while not listener.accept()[0].recv(1000):
                pass
            os._exit(1)
        os.read(ready, 1)
        os.close(ready)
        os.close(tell)
        code, output = self.ask("ListInitiators", env=self.environment("require", ISCSIDSC_SOCKET=self.path))
        self.assertEqual(code, ACCESS_DENIED, output)
        os.kill(child, signal.SIGKILL)
        self.assertEqual(os.waitpid(child, 0)[1], signal.SIGKILL, "the client has told the impostor something")


class WineMeetsLinux(Case):
    """Programs under Wine and the native service."""

    def setUp(self):
        super().setUp()
        self.prefix = wineprefix.WinePrefix(WINDOWS_BUILD)
        self.prefix.start()
        self.windows = self.install(WINDOWS_BUILD, "windows", "iscsicli.exe", "iscsidsc.dll")

    def install(self, source, name, *files):
        directory = os.path.join(self.directory, name)
        os.makedirs(directory, exist_ok=True)
        for file in files:
            shutil.copy(os.path.join(source, file), directory)
        return directory

    def wine_environment(self, mode, **variables):
        return dict(self.prefix.environment(), ISCSIDSC_STATE=wineprefix.windows_path(self.state),
                    ISCSIDSC_SERVICE=mode, **variables)

    def ask_wine(self, *arguments, mode="require", env=None, command="iscsicli.exe", stderr=subprocess.STDOUT):
        done = subprocess.run([*self.prefix.wine, os.path.join(self.windows, command), *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                              env=env or self.wine_environment(mode), timeout=DEADLINE, check=False)
        return done.returncode, done.stdout.decode(errors="replace").replace("\r\n", "\n")

    def succeed_wine(self, *arguments, **more):
        code, output = self.ask_wine(*arguments, **more)
        self.assertEqual(code, 0, output)
        self.assertIn(SUCCESS, output)
        return output

    def test_one_session_for_both(self):
        self.serve()
        session = self.log_in()
        self.assertEqual(self.sessions(), [session.replace("0x", "")])
        output = self.succeed_wine("SessionList")
        self.assertIn("Session Id             : %s\n" % session.replace("0x", ""), output)
        self.assertIn("Target Name            : %s\n" % OPEN_TARGET, output)
        self.succeed_wine("LogoutTarget", session)
        self.assertEqual(self.sessions(), [])

    def test_paths_of_either_kind_lead_there(self):
        self.serve()
        for variables in ({"ISCSIDSC_STATE": self.state}, {"ISCSIDSC_SOCKET": self.state + "/door.sock"},
                          {"ISCSIDSC_SOCKET": wineprefix.windows_path(self.state) + "\\door.sock"},
                          {"ISCSIDSC_SOCKET": wineprefix.windows_path(self.state) + "\\door"}):
            with self.subTest(variables=variables):
                environment = dict(self.prefix.environment(), ISCSIDSC_SERVICE="require", **variables)
                self.succeed_wine("ListInitiators", env=environment)

    def test_the_users_service_is_found(self):
        """By the environment of the native system alone."""
        if os.getuid() == 0:
            self.skipTest("root's place is the system's")
        runtime = os.path.join(self.directory, "runtime")
        os.mkdir(runtime)
        environment = dict(os.environ, XDG_RUNTIME_DIR=runtime, XDG_STATE_HOME=self.state)
        environment.pop("ISCSIDSC_STATE", None)
        subprocess.run([program("iscsidscd")], env=environment, timeout=DEADLINE, check=True)
        environment = dict(self.prefix.environment(), XDG_RUNTIME_DIR=runtime, ISCSIDSC_SERVICE="require")
        environment.pop("ISCSIDSC_STATE", None)
        self.succeed_wine("ListInitiators", env=environment)

    def test_without_a_service(self):
        code, output = self.ask_wine("ListInitiators", mode="require")
        self.assertIn(NOT_RUNNING_TEXT, output)
        self.assertEqual(code, 0x3E, output)

    def test_the_native_one_is_started(self):
        self.install(BUILD, "windows", "iscsidscd")
        self.succeed_wine("NodeName", "iqn.2026-11.org.example:from-wine", mode="auto")
        self.assertEqual(len(services_of(self.state)), 1)
        self.succeed("ListInitiators", mode="require")
        self.succeed_wine("ListInitiators", mode="require")

    def test_the_windows_one_is_started_when_there_is_no_other(self):
        self.install(WINDOWS_BUILD, "windows", "iscsidscd.exe")
        # Wine hands standard error down to every program that is started: not to one that stays on with a pipe of ours.
        self.succeed_wine("ListInitiators", mode="auto", stderr=subprocess.DEVNULL)
        self.assertTrue(os.path.exists(os.path.join(self.state, "door.port")))
        self.succeed_wine("ListInitiators", mode="require")
        # It keeps a native one out of the same state.
        native = Service(self.state)
        self.addCleanup(native.stop, signal.SIGKILL)
        self.assertNotEqual(native.wait(), 0)

    def test_without_any_the_engine_is_the_callers(self):
        self.succeed_wine("ListInitiators", mode="auto")
        self.assertEqual(services_of(self.state), [])

    def test_a_wrong_key_keeps_windows_programs_out(self):
        service = self.serve()
        with open(service.base() + ".key", "w") as file:
            file.write("00" * 32 + "\n")
        code, output = self.ask_wine("ListInitiators", mode="require")
        self.assertEqual(code, 0x3E, output)
        self.succeed("ListInitiators")

    def test_the_windows_service(self):
        """iscsidscd.exe --install, started and stopped as any service, --uninstall."""
        self.install(WINDOWS_BUILD, "windows", "iscsidscd.exe")
        environment = dict(self.prefix.environment())
        environment.pop("ISCSIDSC_STATE", None)
        environment.pop("ISCSIDSC_SERVICE", None)

        def run(*arguments, code=0):
            got, output = self.ask_wine(*arguments[1:], env=environment, command=arguments[0])
            self.assertEqual(got, code, output)
            return output
        run("iscsidscd.exe", "--install")
        try:
            self.assertIn("is busy", run("iscsidscd.exe", "--install", code=1))
            subprocess.run([*self.prefix.wine, "net", "start", "MSiSCSI"], env=environment, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=DEADLINE, check=True)
            port = os.path.join(self.prefix.path, "drive_c", "ProgramData", "iscsidsc", "door.port")
            wait_for(lambda: os.path.exists(port), "the service to tell its port")
            got, output = self.ask_wine("ListInitiators", env=dict(environment, ISCSIDSC_SERVICE="require"))
            self.assertEqual(got, 0, output)
            subprocess.run([*self.prefix.wine, "net", "stop", "MSiSCSI"], env=environment, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=DEADLINE, check=True)
            wait_for(lambda: not os.path.exists(port), "the service to take its port back")
        finally:
            run("iscsidscd.exe", "--uninstall")
        self.assertIn("is not running", run("iscsidscd.exe", "--uninstall", code=1))


def load_tests(loader, standard, pattern):
    del standard, pattern
    native = [Sessions, Running, Configuration, OnDemand, Manager, Strangers, Others]
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in ([WineMeetsLinux] if WINDOWS_BUILD else native))


def main():
    global BUILD, WINDOWS_BUILD
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = os.path.abspath(sys.argv.pop(1))
    if os.path.exists(os.path.join(BUILD, "iscsicli.exe")):
        BUILD, WINDOWS_BUILD = os.path.join(os.path.dirname(BUILD), "linux"), BUILD
    with open(os.path.join(BUILD, "libiscsidsc.so"), "rb") as library:
        if b"libasan.so" in library.read():  # which Python lacks
            for name in "test_the_callers_children_are_its_own", "test_a_forked_child_asks_on_its_own":
                setattr(OnDemand, name, unittest.skip("not with a sanitizer")(getattr(OnDemand, name)))
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
