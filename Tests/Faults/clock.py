"""A stack whose wall clock a test sets, by Debian's libfaketime: no test hook in the executables.

The monotonic clock stays the real one (FAKETIME_DONT_FAKE_MONOTONIC): with it faked, libdispatch's timers never fire. So
what is due by the wall clock comes when the next timer or event looks, as after a suspended machine wakes.
"""

import glob
import os
import subprocess

from stack import Process, Stack

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


class ClockStack(Stack):
    """`set_clock` moves the wall clock of all its processes."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self._clock = os.path.join(self.state_dir, "clock")
        self.set_clock(0)
        for name, process in self.processes.items():
            self.processes[name] = _ClockProcess(process, self._clock)

    def set_clock(self, offset_s):
        """So far from the real time from now on."""
        with open(self._clock + ".new", "w") as file:
            file.write(f"{offset_s:+d}\n")
        os.rename(self._clock + ".new", self._clock)

    def __exit__(self, *failure):
        try:
            super().__exit__(*failure)
        finally:
            for process in self.processes.values():
                process.clean_up()


class _ClockProcess(Process):
    def __init__(self, process, clock):
        environment = {
            **process.environment, "LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        super().__init__(process.name, environment, process.log_path)
        self.pids = []
        # Through env, which has the library loaded and leaves FAKETIME_SHARED behind: an executable in which the library had
        # to set that itself would find its environment moved, and Swift its arguments no more.
        self.command = ["/usr/bin/env", *self.command]

    def start(self):
        super().start()
        self.pids.append(self.pid)
        return self

    def healthy(self):
        assert self.running, f"{self.name} ended with status {self.process.poll()}:\n{self.log()[-4000:]}"
        plain = {name: value for name, value in self.environment.items() if name != "LD_PRELOAD"}
        return subprocess.run([self.command[1], "--check"], env=plain, capture_output=True, timeout=30).returncode == 0

    def clean_up(self):
        """The library leaves shared memory behind in processes that are killed."""
        for pid in self.pids:
            for path in (f"/dev/shm/faketime_shm_{pid}", f"/dev/shm/sem.faketime_sem_{pid}"):
                if os.path.exists(path):
                    os.unlink(path)
