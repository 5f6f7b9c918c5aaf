"""What the tests of samples/iscsicli share: single commands, and a conversation through pipes.

A test file ends in `iscsicli_case.main(__doc__)`; its first argument is the program. One that ends in .exe runs under Wine, in
the prefix of the build directory it lies in.
"""

import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import peers  # noqa: E402
import wineprefix  # noqa: E402

PROGRAM = ""
DEADLINE = 60
SUCCESS = "The operation completed successfully. "
PROMPT = re.compile(r"\[(.*)\] Enter command or \^C to exit$")
BANNER = re.compile(r"Microsoft iSCSI Initiator Version \d+\.\d+ Build \d+$")
SESSION_ID = re.compile(r"^Session Id is (0x[0-9a-f]+-0x[0-9a-f]+)$", re.M)
ID = r"[0-9a-f]+-[0-9a-f]+"
INVALID_PARAMETER, INVALID_SESSION_ID = 87, 0x1C


def under_wine():
    return PROGRAM.lower().endswith(".exe")


def command_and_environment(state):
    """How to start the program so that it keeps its state in that directory."""
    if not under_wine():
        return [PROGRAM], dict(os.environ, ISCSIDSC_STATE=state)
    prefix = wineprefix.WinePrefix(os.path.dirname(PROGRAM))
    prefix.ensure()
    return prefix.wine + [PROGRAM], dict(prefix.environment(), ISCSIDSC_STATE=wineprefix.windows_path(state))


def start(state):
    command, environment = command_and_environment(state)
    return lambda arguments: subprocess.Popen(
        command + arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=peers.die_with_parent)


def text(data):
    return data.decode(errors="replace").replace("\r\n", "\n")


class Conversation:
    """The program without arguments: commands in, answers out, both through pipes."""

    def __init__(self, state):
        self.process = start(state)([])
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.greeting = self.answer()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(text(line).rstrip("\n"))
        self.lines.put(None)

    def answer(self):
        """The lines up to the next prompt, which shows the node name."""
        answer, until = [], time.monotonic() + DEADLINE
        while True:
            try:
                line = self.lines.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError("no prompt within %d s; so far:\n%s" % (DEADLINE, "\n".join(answer))) from None
            if line is None:
                raise AssertionError("the program ended; its last words:\n%s" % "\n".join(answer))
            prompt = PROMPT.match(line)
            if prompt:
                self.node_name = prompt.group(1)
                return "\n".join(answer)
            answer.append(line)

    def say(self, *words):
        quoted = ['"%s"' % word if " " in word or not word else word for word in words]
        return self.type(" ".join(quoted))

    def type(self, line):
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        """End of input; the exit code."""
        self.process.stdin.close()
        try:
            return self.process.wait(DEADLINE)
        finally:
            self.end()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(DEADLINE)
        self.process.stdin.close()
        self.process.stdout.close()


class Case(unittest.TestCase):
    longMessage = True

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="iscsicli-")
        self.addCleanup(directory.cleanup)
        self.state = directory.name

    def run_once(self, *arguments, stdin=b""):
        """Exit code and output without the banner."""
        process = start(self.state)(list(arguments))
        try:
            output = text(process.communicate(stdin, timeout=DEADLINE)[0])
        finally:
            process.kill()
            process.wait()
        banner, _, rest = output.partition("\n\n")
        self.assertRegex(banner, BANNER)
        return process.returncode, rest

    def succeed(self, *arguments):
        """What a command prints before its status line."""
        code, output = self.run_once(*arguments)
        self.assertEqual((code, output[-len(SUCCESS) - 1:]), (0, SUCCESS + "\n"), output)
        return output[:-len(SUCCESS) - 1]

    def refuse(self, code, *arguments):
        """What a command prints that ends with that exit code, its status line included."""
        got, output = self.run_once(*arguments)
        self.assertEqual(got, code, "%s\n%s" % (arguments, output))
        self.assertNotIn(SUCCESS, output)
        return output

    def converse(self):
        conversation = Conversation(self.state)
        self.addCleanup(conversation.end)
        return conversation

    def assert_done(self, answer):
        self.assertTrue(answer.endswith(SUCCESS), "expected success:\n" + answer)
        return answer[:-len(SUCCESS)]


def on_each_peer(test):
    """Run a test against every peer there is, with a conversation and a state directory of its own."""
    def run(self):
        if not os.environ.get("TEST_PEERS"):
            self.skipTest("no peers")
        for self.kind in os.environ["TEST_PEERS"].split(","):
            with self.subTest(peer=self.kind), tempfile.TemporaryDirectory(prefix="iscsicli-") as self.state:
                self.address, self.socket = os.environ["TEST_%s_PORTAL" % self.kind.upper()].rsplit(":", 1)
                self.lun = os.environ["TEST_%s_LUN" % self.kind.upper()]
                conversation = Conversation(self.state)
                try:
                    test(self, conversation)
                finally:
                    conversation.end()
    return run


def main(usage):
    global PROGRAM
    if len(sys.argv) < 2:
        sys.exit(usage)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
