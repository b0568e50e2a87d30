"""Starts one program and says what it cost: a small process, because Linux counts what a parent took to its children.

What a process took at most survives exec, so a program that a large process starts seems at least as large. This one
takes some 8 MB, which is the least that can be told.

    python -I -S launcher.py SECONDS REPORT FOLDER PROGRAM [ARGUMENT...]

REPORT is a file descriptor; one line is written there: seconds by the clock, seconds of processor time, kilobytes of
the largest process, exit status as `waitpid` gives it.
"""

import os
import select
import signal
import sys
import time


def main() -> None:
    """Start the program, end it after SECONDS, and report."""
    seconds, report, folder, *command = sys.argv[1:]
    os.set_inheritable(int(report), False)
    os.chdir(folder)
    begun = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    watch = select.poll()
    watch.register(os.pidfd_open(child), select.POLLIN)
    if not watch.poll(float(seconds) * 1000):
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - begun
    said = f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss} {status}\n"
    os.write(int(report), said.encode())


if __name__ == "__main__":
    main()
