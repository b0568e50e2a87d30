"""Scriptlets that can only pass while the other one runs."""

import subprocess
import sys
import threading

BARRIER = threading.Barrier(2)
RELEASE = threading.Event()


class Meet:
    def run(self, context, params):
        print(f"{params['name']} waits")
        BARRIER.wait(timeout=params.get("seconds", 10))
        print(f"{params['name']} met")
        return 0


class Stuck:
    def run(self, context, params):
        context.set("stuck.began", True)
        RELEASE.wait(timeout=60)
        print("this comes too late")
        return 0


class Helping:
    """Prints from a thread of its own and from a program."""

    def run(self, context, params):
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
        thread.join()
        subprocess.run([sys.executable, "-c", "print('from a program')"], check=True)
        return 0
