"""A PostgreSQL server of a test's own, which the test may stop and start. See Tests/Support/postgresql."""

import os
import shutil
import subprocess
import tempfile

_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "postgresql")


class PostgreSQL:
    """To be used with `with`: it runs when that begins and is gone when that ends."""

    def __init__(self, listen=""):
        """`listen`: an address of a network of the tests', besides its socket."""
        self._listen = listen

    def __enter__(self):
        # Short: it holds a socket.
        self.directory = tempfile.mkdtemp(prefix="oms-pg-", dir="/tmp")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._run("remove")
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        """Returns when it can be used; its address is then in `url`, a value of DATABASE_URL."""
        self.url = self._run("start").strip()

    def stop(self, mode="fast"):
        """In order, or with "immediate" as if the machine had lost its power."""
        self._run("stop", mode)

    def query(self, sql):
        """What psql answers, without frills: a line for each row, its columns separated by |."""
        ended = subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", self.url],
            input=sql, capture_output=True, text=True, timeout=60, check=False)
        if ended.returncode != 0:
            raise AssertionError(f"psql: {ended.stderr}")
        return ended.stdout.splitlines()

    def _run(self, what, *arguments):
        # Not captured: the server inherits what its starter has open, and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            ended = subprocess.run(
                [_SCRIPT, what, self.directory, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, "POSTGRESQL_LISTEN": self._listen}, timeout=120, check=False)
            output.seek(0)
            text = output.read()
        if ended.returncode != 0:
            raise AssertionError(f"postgresql {what}: {text}")
        return text
