"""The service on behalf of a test: which processes of it there are, and how they end."""

import contextlib
import os
import signal
import subprocess

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


def mounts_below(directory):
    """Mount points in that directory, the last one first."""
    with open("/proc/self/mounts") as mounts:
        points = [line.split()[1].encode().decode("unicode_escape") for line in mounts]
    return [point for point in reversed(points) if point.startswith(directory + "/")]


def unmount_below(directory):
    """What killed services have left mounted there. Their file systems answer nobody any more."""
    for point in mounts_below(directory):
        command = ["umount", "-l"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
        subprocess.run([*command, point], stdin=subprocess.DEVNULL, check=True, timeout=20)


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
        unmount_below(directory)
        return len(stubborn)
    return 0
