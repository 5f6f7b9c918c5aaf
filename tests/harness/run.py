"""Runs a test program with real iSCSI targets beside it, natively or under Wine. README.md says what it is given."""

import argparse
import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import peers
import ports
import registry
import service
import wineprefix

TIMED_OUT, NO_PEERS = 124, 125
PATH_VARIABLES = ("TEST_DIR", "ISCSIDSC_STATE", "TEST_PEER_PORTS")
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1",
              "TSAN_OPTIONS": "second_deadlock_stack=1"}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wine", action="store_true", help="run PROGRAM under Wine")
    parser.add_argument("--peers", default="", help="comma-separated: %s, or all" % ", ".join(registry.KINDS))
    parser.add_argument("--service", action="store_true", help="PROGRAM reaches the engine through a native service")
    parser.add_argument("--results", help="where to put the results.csv that PROGRAM leaves in its TEST_DIR")
    parser.add_argument("--timeout", type=float, default=120, help="seconds that PROGRAM may take")
    parser.add_argument("--build", help="the build directory; by default the one that PROGRAM lies in")
    parser.add_argument("command", nargs="+", metavar="PROGRAM")
    arguments = parser.parse_args()
    arguments.command[0] = os.path.abspath(arguments.command[0])
    arguments.build = os.path.abspath(arguments.build or os.path.dirname(arguments.command[0]))
    kinds = list(registry.KINDS) if arguments.peers == "all" else arguments.peers.split(",")
    arguments.kinds = [kind for kind in kinds if kind]
    return arguments


def make_environment(directory, running, refused, silent):
    """What the test program finds in its environment, with native paths."""
    state = os.path.join(directory, "state")
    scratch = os.path.join(directory, "scratch")
    os.mkdir(state)
    os.mkdir(scratch)
    variables = {"TEST_DIR": scratch, "ISCSIDSC_STATE": state, "TEST_REFUSED_PORTAL": refused.portal,
                 "TEST_SILENT_PORTAL": silent.portal,
                 "TEST_PEERS": ",".join(peer.kind for peer in running if peer.kind in registry.FULL)}
    variables.setdefault("ISCSIDSC_SERVICE", os.environ.get("ISCSIDSC_SERVICE", "never"))
    for name, value in SANITIZERS.items():
        variables[name] = os.environ.get(name, value)
    for peer in running:
        variables.update(peer.environment())
    return variables


def prepare_service(arguments, variables, directory):
    """The program's first call starts the service. Under Wine it is the native one, which has to lie beside the DLL."""
    variables["ISCSIDSC_SERVICE"] = "auto"
    for name in "ASAN_OPTIONS", "TSAN_OPTIONS":
        variables[name] += ":log_path=%s" % os.path.join(directory, "sanitizer")
    if arguments.wine:
        native = os.path.join(os.path.dirname(arguments.build), "linux", "iscsidscd")
        with contextlib.suppress(FileExistsError):
            os.symlink(native, os.path.join(arguments.build, "iscsidscd"))


def service_complaint(variables, directory):
    """What was wrong with the service, when all is over."""
    if not os.path.exists(os.path.join(variables["ISCSIDSC_STATE"], "door.key")):
        return "no service was started: the engine was the program's own"
    if service.end_services(directory):
        return "a service did not end when it was told to"
    for name in sorted(os.listdir(directory)):
        if name.startswith("sanitizer"):
            with open(os.path.join(directory, name), errors="replace") as report_file:
                return "a sanitizer found:\n" + report_file.read()
    return None


def launch(arguments, variables):
    """Start the program; its output comes through a pipe, for under Wine output to a file can get lost."""
    command, environment = arguments.command, dict(os.environ)
    directory = variables["TEST_DIR"]
    if arguments.wine:
        prefix = wineprefix.WinePrefix(arguments.build)
        prefix.ensure()
        command, environment = prefix.wine + command, prefix.environment()
        variables = {name: wineprefix.windows_path(value) if name in PATH_VARIABLES else value
                     for name, value in variables.items()}
    environment.update(variables)
    return subprocess.Popen(command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=peers.die_with_parent)


def relay(program, seconds):
    """Pass the program's output on until it ends. False when that took too long, and then it is killed."""
    deadline = time.monotonic() + seconds
    selector = selectors.DefaultSelector()
    selector.register(program.stdout, selectors.EVENT_READ)
    out = sys.stdout.buffer
    while True:
        left = deadline - time.monotonic()
        # A program can end while something it started keeps the pipe open, so both ends are watched.
        if selector.select(max(0, min(left, 0.2))):
            data = os.read(program.stdout.fileno(), 65536)
            if not data:
                break
            out.write(data)
            out.flush()
        elif program.poll() is not None:
            break
        elif left <= 0:
            return kill(program)
    try:
        program.wait(max(1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return kill(program)
    return True


def kill(program):
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    return False


def keep_results(path, directory):
    """Those of this run or none: never those of an earlier one."""
    left = os.path.join(directory, "results.csv")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    if os.path.exists(left):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(left, path)


def report(running, what):
    print("\n%s" % what)
    for peer in running:
        print("--- %s said last:\n%s" % (peer.kind, peer.log_tail()))


def run(arguments, cleanup):
    directory = tempfile.mkdtemp(prefix="iscsidsc-test-")
    cleanup.callback(shutil.rmtree, directory, ignore_errors=True)
    running = []
    try:
        for kind in arguments.kinds:
            running.append(cleanup.enter_context(registry.make(kind, arguments.build)))
    except (peers.PeerError, OSError) as error:
        report(running, "no peer: %s" % error)
        return NO_PEERS
    refused = cleanup.enter_context(contextlib.closing(ports.RefusedPort()))
    silent = cleanup.enter_context(contextlib.closing(ports.SilentPort()))
    variables = make_environment(directory, running, refused, silent)
    if arguments.service:
        prepare_service(arguments, variables, directory)
        cleanup.callback(service.end_services, directory)

    program = launch(arguments, variables)
    in_time = relay(program, arguments.timeout)
    if arguments.results:
        keep_results(arguments.results, variables["TEST_DIR"])
    code = program.returncode if in_time else TIMED_OUT
    complaint = service_complaint(variables, directory) if arguments.service else None
    if complaint:
        print("\n%s" % complaint)
        code = code or 1
    if code < 0:
        report(running, "%s died by signal %d" % (arguments.command[0], -code))
        return 128 - code
    if code != 0:
        name = os.path.basename(arguments.command[0])
        report(running, "%s ended with code %d" % (name, code) if in_time else
               "%s was killed: not done after %g s" % (name, arguments.timeout))
    return code


def keep_addresses_plain(build):
    """ThreadSanitizer of gcc 12 cannot live with more than 28 random bits in an address: begin anew without, then."""
    with contextlib.suppress(OSError, ValueError), open("/proc/sys/vm/mmap_rnd_bits") as bits:
        if os.path.basename(build) != "tsan" or int(bits.read()) <= 28 or "TEST_PLAIN_ADDRESSES" in os.environ:
            return
        if subprocess.run(["setarch", "-R", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            os.environ["TEST_PLAIN_ADDRESSES"] = "1"
            os.execvp("setarch", ["setarch", "-R", sys.executable, *sys.argv])


def main():
    arguments = parse_arguments()
    keep_addresses_plain(arguments.build)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with contextlib.ExitStack() as cleanup:
        code = run(arguments, cleanup)
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
