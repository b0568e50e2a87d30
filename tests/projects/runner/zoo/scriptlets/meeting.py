"""Scriptlets that can only pass while the other one runs."""

import os
import signal
import subprocess
import sys
import threading

BARRIER = threading.Barrier(2)


class Meet:
    def run(self, context, params):
        print(f"{params['name']} waits")
        BARRIER.wait(timeout=params.get("seconds", 10))
        print(f"{params['name']} met")
        return 0


class Stuck:
    """Waits until somebody opens a pipe for writing."""

    def run(self, context, params):
        if params.get("interrupt"):
            os.kill(os.getpid(), signal.SIGINT)
        with open(params["pipe"]) as stream:
            stream.read()
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
