"""The service on behalf of a test: which processes of it there are, and how they end."""

import contextlib
import os
import signal

import ports


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def services_of(directory):
    """Processes of the service, also of the one for Windows, whose state or place lies in that directory."""
    found = []
    for name in os.listdir("/proc"):
        process = "/proc/" + name
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):
            program, line = os.path.basename(os.readlink(process + "/exe")), contents(process + "/cmdline")
            if not program.startswith("iscsidscd") and not (program.startswith("wine") and b"iscsidscd.exe" in line):
                continue
            told = contents(process + "/environ") + line
            if any(os.fsencode(spelling) in told for spelling in (directory, directory.replace("/", "\\"))):
                found.append(int(name))
    return found


def tell(pids, how):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)


def end_services(directory, seconds=20):
    """Stop them as an administrator would. Those that do not end in time are killed, and their number is returned."""
    tell(services_of(directory), signal.SIGTERM)
    try:
        ports.wait_until(lambda: not services_of(directory), "the services to end", seconds)
    except TimeoutError:
        stubborn = services_of(directory)
        tell(stubborn, signal.SIGKILL)
        return len(stubborn)
    return 0
