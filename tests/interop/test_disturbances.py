#!/usr/bin/env python3
"""Test programs while the system disturbs them (tests/support/disturb.c): the clock of the day is set back at each look, or every third
call that a signal can interrupt is interrupted.

    python3 tests/harness/run.py --build BUILD -- tests/interop/test_disturbances.py BUILD
"""

import os
import subprocess
import sys
import tempfile
import unittest

BUILD = ""
DEADLINE = 30
LEAST = {"calls": 20, "clock": 5}  # disturbances of one program: fewer are no test
INTERRUPTED = ("test_os_socket", "test_os_datagram", "test_os_loop", "test_os_watch", "test_link", "test_engine_chap", "test_engine_ipsec")
WITH_ANOTHER_CLOCK = ("test_os_loop", "test_engine_chap", "test_engine_restore", "test_engine_events")


class Disturbances(unittest.TestCase):
    def disturb(self, how, programs):
        total = 0
        for program in programs:
            with self.subTest(program=program), tempfile.TemporaryDirectory(prefix="disturb-") as directory:
                report = os.path.join(directory, "report")
                environment = dict(os.environ, TEST_DIR=directory, ISCSIDSC_STATE=directory, DISTURB=how, DISTURB_REPORT=report,
                                   LD_PRELOAD=os.path.join(BUILD, "libdisturb.so"))
                done = subprocess.run([os.path.join(BUILD, program)], env=environment, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, timeout=DEADLINE)
                self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace"))
                with open(report, encoding="ascii") as file:
                    times = int(file.read())
                print("%s: %s, %d times" % (program, how, times), file=sys.stderr)
                total += times
        self.assertGreaterEqual(total, LEAST[how] * len(programs))

    def test_interrupted_calls(self):
        self.disturb("calls", INTERRUPTED)

    def test_the_clock_of_the_day_is_set_back(self):
        self.disturb("clock", WITH_ANOTHER_CLOCK)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
