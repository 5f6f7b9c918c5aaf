"""The Wine prefix that all tests of a Windows build tree share: made on first use, for a fresh one boots for 10 s.

    python3 wineprefix.py [--build DIRECTORY] start|stop

WINE_LAUNCHER, if set, is a command that runs its arguments where another Wine is (scripts/in-root).
"""

import argparse
import fcntl
import os
import shlex
import shutil
import subprocess
import sys

# A server that nobody stops (an interrupted test run) ends by itself this long after the last program.
LINGER_SECONDS = 300


def find_wine():
    """Wine's own name differs: `wine`, or `wine64` where only that package is installed."""
    launcher = shlex.split(os.environ.get("WINE_LAUNCHER", ""))
    for name in ("wine", "wine64"):
        for directory in os.environ.get("PATH", "/usr/bin").split(":") if not launcher else ["/usr/bin"]:
            if launcher or os.access(os.path.join(directory, name), os.X_OK):
                return launcher + [name]
    raise FileNotFoundError("Wine is not installed (scripts/install-tools test)")


class WinePrefix:
    """One prefix, at BUILD/wineprefix."""

    def __init__(self, build):
        self.path = os.path.join(os.path.abspath(build), "wineprefix")
        self.ready_mark = os.path.join(self.path, "ready")
        self.wine = find_wine()

    def environment(self):
        """What every program in the prefix needs: no debug noise, no offers to install Mono and Gecko, no display."""
        environment = dict(os.environ, WINEPREFIX=self.path, WINEDEBUG=os.environ.get("WINEDEBUG", "-all"),
                           WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=")
        environment.pop("DISPLAY", None)
        return environment

    def server(self, *arguments):
        command = shlex.split(os.environ.get("WINE_LAUNCHER", "")) + ["wineserver", *arguments]
        return subprocess.run(command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=60, check=False).returncode

    def ensure(self):
        """Make the prefix unless it is there. Of several at once one makes it and the others wait."""
        if os.path.exists(self.ready_mark):
            return
        os.makedirs(self.path, exist_ok=True)
        with open(self.path + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(self.ready_mark):
                self.make()
                open(self.ready_mark, "w").close()

    def make(self):
        """A server of a directory that is gone may still answer for one with the same inode: end it, try again."""
        for attempt in range(3):
            try:
                self.command("wineboot", "--init")
                self.stop()  # drivers cannot be started in the session that has made the prefix
                return
            except OSError:
                if attempt == 2:
                    raise
                self.stop()
                shutil.rmtree(self.path, ignore_errors=True)
                os.makedirs(self.path, exist_ok=True)

    def start(self):
        """Have the prefix and its server up, so that programs start quickly."""
        os.makedirs(self.path, exist_ok=True)
        self.ensure()
        self.server("-p%d" % LINGER_SECONDS)
        self.command("cmd", "/c", "exit 0")

    def stop(self):
        """End everything in the prefix; no server is no fault."""
        if os.path.isdir(self.path):
            self.server("-k")
            self.server("-w")

    def command(self, *arguments):
        """Run a Windows program. Its output goes to a file: the services it starts would hold a pipe open."""
        with open(self.path + ".log", "wb") as log:
            code = subprocess.run(self.wine + list(arguments), env=self.environment(), stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, timeout=150, check=False).returncode
        if code != 0:
            with open(self.path + ".log", errors="replace") as log:
                raise OSError("wine %s ended with code %d: %s" % (" ".join(arguments), code, log.read()))


def windows_path(path):
    """The name under which Windows programs see a file."""
    return "Z:" + os.path.abspath(path).replace("/", "\\")


def main():
    arguments = argparse.ArgumentParser(description="the Wine prefix of a build tree")
    arguments.add_argument("--build", default=os.getcwd())
    arguments.add_argument("action", choices=("start", "stop"))
    chosen = arguments.parse_args()
    prefix = WinePrefix(chosen.build)
    getattr(prefix, chosen.action)()
    return 0


if __name__ == "__main__":
    sys.exit(main())
