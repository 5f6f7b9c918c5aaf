"""The devices that a service makes of a unit, beside the initiator's own data path: starts target and service, logs in, and
runs bench_devices on what there is then."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402
import ports  # noqa: E402
import service  # noqa: E402: the one beside this

TARGET = peers.PREFIX + ":ram"
DISK = 256 << 20


class Target(peers.Embedded):
    def options(self):
        return ["--portal", "127.0.0.1:0", "--set", "FirstBurstLength=65536", "--set", "MaxOutstandingR2T=16",
                "--target", TARGET, "--lun", "ram:%d" % DISK]


def log_in(build, portal, environment):
    address, port = portal.rsplit(":", 1)
    commands = "AddTargetPortal %s %s\nQLoginTarget %s\n" % (address, port, TARGET)
    done = subprocess.run([os.path.join(build, "iscsicli")], input=commands, env=environment, text=True, check=False,
                          stdout=subprocess.PIPE)
    if "Session Id is" not in done.stdout:
        raise RuntimeError(done.stdout)


def forms(root, links):
    """Which there are, as bench_devices takes them."""
    place = os.path.join("bus0", "target0", "lun0")
    paths = [("NBD", os.path.join(root, place, "nbd")), ("FUSE", os.path.join(root, place, "disk")),
             ("loop", os.path.join(links, place, "disk"))]
    ports.wait_until(lambda: os.path.exists(paths[0][1]), paths[0][1])
    ports.wait_until(lambda: os.geteuid() != 0 or os.path.exists(paths[2][1]), paths[2][1])
    return ["%s=%s" % (name, os.path.realpath(path)) for name, path in paths if os.path.exists(path)]


@contextlib.contextmanager
def memory_by_nbd(directory):
    """What the same client gets of somebody else's server that has the data at hand: no target, no network."""
    program, path = shutil.which("nbdkit"), os.path.join(directory, "memory")
    if program is None:
        yield []
        return
    with subprocess.Popen([program, "--foreground", "--unix", path, "memory", str(DISK)], stdin=subprocess.DEVNULL,
                          preexec_fn=peers.die_with_parent) as server:
        ports.wait_until(lambda: os.path.exists(path), "nbdkit")
        yield ["NBD of nbdkit, from memory=" + path]
        server.terminate()


def main():
    build = os.path.abspath(sys.argv[1])
    with Target(build) as target, tempfile.TemporaryDirectory(prefix="iscsidsc-bench-") as directory:
        state, root, links = (os.path.join(directory, name) for name in ("state", "devices", "links"))
        os.mkdir(state, 0o700)
        with open(os.path.join(state, "iscsi.conf"), "w") as file:
            file.write("DeviceDirectory = %s\nLinkDirectory = %s\nLoopDevices = %s\n" % (root, links, "yes" if os.geteuid() == 0 else "no"))
        process = service.start_service(build, state)
        try:
            log_in(build, target.portals[0], dict(os.environ, ISCSIDSC_STATE=state, ISCSIDSC_SERVICE="require"))
            own = os.path.join(directory, "own")
            with memory_by_nbd(directory) as others:
                command = [os.path.join(build, "bench_devices"), str(DISK // 512), target.portals[0], TARGET,
                           str(target.process.pid), str(process.pid), *forms(root, links), *others]
                return subprocess.run(command, env=dict(os.environ, ISCSIDSC_STATE=own, ISCSIDSC_SERVICE="never"),
                                      check=False).returncode
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
