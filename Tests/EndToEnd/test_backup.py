"""omsctl backup while the services work, and omsctl restore, on both engines."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
import unittest
from contextlib import closing

from bus import CREATED, CREDENTIALS, STOCK, quantities, registered_stack
from load import Load, write_one_row
from oms_simulator import Oms, snapshot
from oms_simulator.snapshots import UPDATED
from postgresql import PostgreSQL
from reflected import Reflected
from stack import BIN, Stack, clean_environment
from waiting import wait_until

ADJUST = "magento.inventory.source_stock_management.adjust"
SERVICES = ("gateway", "inventory")
# Messages are answered when they are durable in the journal; their effect comes later.
ASYNCHRONOUS = {"oms_synchronous_methods": ""}


def omsctl(url, *arguments, **environment):
    """The finished process; it knows where the stores are, and no gateway."""
    environment = {**clean_environment(), "DATABASE_URL": url, **environment}
    return subprocess.run(
        [os.path.join(BIN, "omsctl"), *arguments], env=environment, capture_output=True, text=True, timeout=120)


def adjust(client, number, count):
    """Asks for a message to the OMS and gives its delivery id."""
    adjustment = {"source_id": f"WH-{number}", "reason": "count", "created_on": "2024-02-03T04:05:06Z",
                  "adjustments": [{"sku": f"A{count}", "quantity": 1}]}
    return client.call(f"{STOCK}/AdjustSourceStock", {"adjustment": adjustment})["delivery_ids"][0]


def chain(oms):
    """Publishes the next message of a caller's aggregate. Message n sets row n to 2n and row n-1 to 2n-1, all with one
    created_on: one that is lost, or has its effect again after the next one, leaves another number."""

    def publish(_, number, count):
        rows = [(f"P{count - 1}", 2 * count - 1), (f"P{count}", 2 * count)]
        sent, = oms.bus.publish(UPDATED, snapshot(f"CHAIN-{number}", "DELTA", CREATED, rows))
        assert sent.delivered, sent
        return f"CHAIN-{number}", count

    return publish


def told(oms):
    """The delivery ids of what came to the OMS, one for each time."""
    messages = [json.loads(request.body) for request in oms.requests.all() if request.path == "/delegate/oms"]
    return [message["id"] for message in messages if message["method"] == ADJUST]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="oms-", dir="/tmp"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_ok(self, url, *arguments, **environment):
        done = omsctl(url, *arguments, **environment)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def refused(self, code, words, url, *arguments, **environment):
        done = omsctl(url, *arguments, **environment)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr

    def messages(self, stack, *filters):
        done = stack.omsctl("journal", "list", "--json", "--limit", "100000", *filters)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["messages"]

    def wait_until_idle(self, stack):
        def idle():
            done = stack.omsctl("queue", "--json")
            if done.returncode != 0:
                return False
            answer = json.loads(done.stdout)
            return not any(each["depth"] for each in answer["queues"] + answer["outboxes"])

        wait_until(idle, "everything to be delivered", timeout_s=60)


class OnBothEngines:
    """What has to hold wherever the stores are. `first` and `second` are values of DATABASE_URL, the second without a store."""

    def test_what_was_acknowledged_before_the_backup_is_in_it_once(self):
        copy = self.path("backup")
        with registered_stack(services=SERVICES, database_url=self.first, **ASYNCHRONOUS) as (oms, stack):
            with Reflected(stack.grpc) as client:
                settled = [adjust(client, 9, count) for count in range(20)]
            wait_until(lambda: set(told(oms)) >= set(settled), "the OMS to be told")
            self.wait_until_idle(stack)
            rows = Load(stack.grpc, write_one_row("ROWS"), threads=2)
            chains, adjustments = Load(stack.grpc, chain(oms), threads=3), Load(stack.grpc, adjust, threads=2)
            with rows, chains, adjustments:
                for load in (rows, chains, adjustments):
                    load.wait_for(50)
                before = [list(load.done) for load in (rows, chains, adjustments)]
                made = json.loads(self.run_ok(self.first, "backup", copy, "--json"))
                for load in (rows, chains, adjustments):
                    load.wait_for(20)
            self.assertEqual([load.failures for load in (rows, chains, adjustments)], [[], [], []])
        self.assertEqual([store["service"] for store in made["stores"]], ["gateway", "inventory"])
        self.assertEqual(made, json.loads(read(os.path.join(copy, "manifest.json"))))

        self.run_ok(self.second, "restore", copy)
        with Oms(client_id="shop", client_secret="only-for-tests") as oms:
            settings = {**CREDENTIALS, **ASYNCHRONOUS, "oms_url": oms.url, "oms_oauth_server_url": oms.url}
            with Stack(services=SERVICES, database_url=self.second, **settings) as stack, Reflected(stack.grpc) as client:
                oms.bus.wait_for_registration(60, method=UPDATED)
                self.wait_until_idle(stack)
                held = quantities(client, "ROWS")
                self.assertEqual([sku for sku, quantity in before[0] if held.get(sku) != quantity], [])
                self.check_chains(client, before[1])
                ended = {each["delivery_id"]: each["status"] for each in self.messages(stack, "--direction", "out")}
                self.assertEqual({ended.get(each) for each in before[2] + settled}, {"MESSAGE_STATUS_SUCCESS"})
                again = told(oms)
                self.assertEqual(len(again), len(set(again)), "a message came twice")
                self.assertEqual(set(again) & set(settled), set(), "the OMS had these long before the backup")
                self.assertEqual(self.messages(stack, "--status", "ERROR"), [])

    def check_chains(self, client, acknowledged):
        for aggregate in sorted({aggregate for aggregate, _ in acknowledged}):
            held = quantities(client, aggregate)
            last = len(held) - 1
            self.assertGreaterEqual(last, max(count for each, count in acknowledged if each == aggregate))
            expected = {f"P{n}": 2 * n + 1 for n in range(last)} | {f"P{last}": 2 * last}
            self.assertEqual(held, expected, f"{aggregate}: a message is lost, or had its effect twice")

    def test_a_restore_is_refused_while_somebody_works_on_the_stores(self):
        copy = self.path("backup")
        with Stack(services=SERVICES, database_url=self.first) as stack:
            self.run_ok(self.first, "backup", copy)
            for stopped in ("gateway", "inventory-1"):
                self.refused(1, ["stop"], self.first, "restore", copy)
                self.assertEqual(stack.processes[stopped].stop(), 0)
        self.run_ok(self.first, "restore", copy)

    def test_a_restore_keeps_what_was_there(self):
        copy = self.path("backup")
        with Stack(services=SERVICES, database_url=self.first) as stack, Reflected(stack.grpc) as client:
            write = write_one_row("KEPT")
            write(client, 1, 1)
            self.run_ok(self.first, "backup", copy)
            write(client, 2, 2)
        kept = json.loads(self.run_ok(self.first, "restore", copy, "--json"))["kept"]
        self.assertEqual(self.kept_rows(kept), 2)
        with Stack(services=SERVICES, database_url=self.first) as stack, Reflected(stack.grpc) as client:
            self.assertEqual(quantities(client, "KEPT"), {"S1-1": 1})

    def test_a_directory_that_exists_and_one_that_is_no_backup_are_refused(self):
        with Stack(services=("inventory",), database_url=self.first):
            existing = self.path("existing")
            os.mkdir(existing)
            self.refused(1, [existing, "there already"], self.first, "backup", existing)
            self.refused(1, ["No such file"], self.first, "backup", self.path("no/where"))
            self.refused(1, ["there is no store"], self.second, "backup", self.path("nothing"))
            self.run_ok(self.first, "backup", self.path("backup"))
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(self.OWN + ["backup", "existing"]))
        self.refused(2, [existing, "manifest.json"], self.first, "restore", existing)

    def test_a_damaged_backup_is_refused(self):
        with Stack(services=("inventory",), database_url=self.first):
            self.run_ok(self.first, "backup", self.path("backup"))
        path = self.path(f"backup/{self.FILE}")
        with open(path, "r+b") as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 1]))
        self.refused(2, [path, "damaged"], self.first, "restore", self.path("backup"))
        other = f"sqlite:{self.folder}/other" if self.ENGINE == "postgresql" else "postgresql://oms@localhost/oms"
        self.refused(2, ["is a backup of", self.ENGINE], other, "restore", self.path("backup"))

    def test_a_backup_is_for_its_user_alone(self):
        with Stack(services=("inventory",), database_url=self.first):
            self.run_ok(self.first, "backup", self.path("backup"))
        modes = {name: stat.S_IMODE(os.stat(self.path(name)).st_mode)
                 for name in ("backup", "backup/manifest.json", f"backup/{self.FILE}")}
        self.assertEqual(set(modes.values()), {0o700, 0o600}, modes)

    def test_services_do_not_start_on_a_store_of_a_newer_version(self):
        stack = Stack(services=SERVICES, state_dir=self.path("state"), database_url=self.first)
        with stack:
            pass
        for service, process in (("inventory", stack.inventory), ("gateway", stack.gateway)):
            with self.subTest(service):
                self.make_newer(service)
                process.start()
                self.addCleanup(process.kill)
                self.assertEqual(process.wait(), 3, process.log()[-2000:])
                for words in ("DATABASE_URL", "has schema version 999, this program knows up to ",
                              "start a newer version of the program, or restore a backup from before the upgrade"):
                    self.assertIn(words, process.log())


class OnSQLite(OnBothEngines, Case):
    ENGINE, FILE, OWN = "sqlite", "inventory.sqlite", ["first"]

    def setUp(self):
        super().setUp()
        self.first, self.second = f"sqlite:{self.folder}/first", f"sqlite:{self.folder}/second"

    def kept_rows(self, kept):
        directory, = kept
        self.assertRegex(directory, r"/first\.before_\d{8}t\d{6}z$")
        with closing(sqlite3.connect(os.path.join(directory, "inventory.sqlite"))) as store:
            return store.execute("SELECT count(*) FROM cataloginventory_stock_item_update").fetchone()[0]

    def make_newer(self, service):
        with closing(sqlite3.connect(self.path(f"first/{service}.sqlite"))) as store:
            store.execute("PRAGMA user_version = 999")

    def test_it_is_refused_where_the_directory_has_something_else_in_it(self):
        with Stack(services=("inventory",), database_url=self.first):
            self.run_ok(self.first, "backup", self.path("backup"))
        other = self.path("first/notes.txt")
        with open(other, "w", encoding="utf-8") as file:
            file.write("somebody's")
        self.refused(1, ["notes.txt"], self.first, "restore", self.path("backup"))
        self.assertTrue(os.path.exists(other))

    def test_the_stores_are_those_of_state_dir_unless_database_url_says_otherwise(self):
        with Stack(services=("inventory",)) as stack:
            done = subprocess.run(
                [os.path.join(BIN, "omsctl"), "backup", self.path("backup")],
                env={**clean_environment(), "STATE_DIR": stack.state_dir}, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{stack.state_dir}/data, as of 20", done.stdout)
        with closing(sqlite3.connect(self.path("backup/inventory.sqlite"))) as store:
            self.assertEqual(store.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        self.assertEqual(sorted(os.listdir(self.path("backup"))), ["inventory.sqlite", "manifest.json"], "no logs beside it")

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_root_restores_for_the_services_user(self):
        with Stack(services=("inventory",), database_url=self.first):
            self.run_ok(self.first, "backup", self.path("backup"))
        os.chown(self.path("first"), 10001, 10002)
        self.run_ok(self.first, "restore", self.path("backup"))
        for name in ("first", "first/inventory.sqlite"):
            found = os.stat(self.path(name))
            self.assertEqual((found.st_uid, found.st_gid), (10001, 10002), name)


class OnPostgreSQL(OnBothEngines, Case):
    ENGINE, FILE, OWN = "postgresql", "stores.pgdump", []

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(PostgreSQL())

    def setUp(self):
        super().setUp()
        self.server.query("CREATE DATABASE first")
        self.server.query("CREATE DATABASE second")
        self.first, self.second = (self.server.url.replace("/oms?", f"/{name}?") for name in ("first", "second"))

    def tearDown(self):
        for name in ("first", "second"):
            self.server.query(f"DROP DATABASE {name} WITH (FORCE)")

    def query(self, sql):
        done = subprocess.run(
            ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", self.first], input=sql,
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def kept_rows(self, kept):
        for schema in kept:
            self.assertRegex(schema, r"^(gateway|inventory)_before_\d{8}t\d{6}z$")
        return int(self.query(f"SELECT count(*) FROM {kept[1]}.cataloginventory_stock_item_update")[0])

    def make_newer(self, service):
        self.query(f"UPDATE {service}.schema_version SET version = 999")

    def test_without_pg_dump_it_says_what_to_install(self):
        with Stack(services=("inventory",), database_url=self.first):
            self.refused(1, ["pg_dump is not on PATH", "postgresql-client", "README"], self.first, "backup", self.path("backup"),
                         PATH=self.folder)
        self.assertEqual(os.listdir(self.folder), [])

    def test_the_password_is_in_no_argument(self):
        for statement in ("CREATE SCHEMA inventory AUTHORIZATION guarded", "GRANT CONNECT ON DATABASE first TO guarded"):
            self.query(statement)
        url = self.first.replace("oms@", "guarded:open%20sesame@")
        with Stack(services=("inventory",), database_url=url):
            self.wrap("pg_dump")
            self.run_ok(url, "backup", self.path("backup"), PATH=f"{self.folder}:{os.environ['PATH']}")
        arguments = read(self.path("pg_dump.arguments"))
        self.assertIn("--format=custom", arguments)
        self.assertNotIn("sesame", arguments)

    def wrap(self, program):
        """Puts a program into the folder that notes its arguments and goes on as the real one."""
        self.script(program, f'printf "%s\\n" "$@" >"$0.arguments"', f'exec {shutil.which(program)} "$@"')

    def script(self, program, *lines):
        """Puts it into the folder."""
        with open(self.path(program), "w", encoding="utf-8") as script:
            script.write("\n".join(("#!/bin/sh", *lines, "")))
        os.chmod(self.path(program), 0o755)

    def test_a_restore_that_fails_leaves_everything_as_it_was(self):
        with Stack(services=SERVICES, database_url=self.first) as stack, Reflected(stack.grpc) as client:
            write_one_row("FAILS")(client, 1, 1)
            self.run_ok(self.first, "backup", self.path("backup"))
        self.script("pg_restore", "echo 'out of luck' >&2", "exit 1")
        self.refused(1, ["out of luck"], self.first, "restore", self.path("backup"), PATH=self.folder)
        self.assertEqual(self.query("SELECT nspname FROM pg_namespace WHERE nspname ~ 'gateway|inventory' ORDER BY 1"),
                         ["gateway", "inventory"])
        with Stack(services=SERVICES, database_url=self.first) as stack, Reflected(stack.grpc) as client:
            self.assertEqual(quantities(client, "FAILS"), {"S1-1": 1})

    def test_a_restore_that_fails_and_leaves_something_behind_says_where_the_stores_are(self):
        with Stack(services=("inventory",), database_url=self.first):
            self.run_ok(self.first, "backup", self.path("backup"))
        self.script("pg_restore", "psql --no-psqlrc --quiet --command 'CREATE SCHEMA inventory'",
                    "echo 'out of luck' >&2", "exit 1")
        said = self.refused(1, ["out of luck", "rename it back"], self.first, "restore", self.path("backup"),
                            PATH=f"{self.folder}:{os.environ['PATH']}")
        kept, = self.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^inventory_before_'")
        self.assertIn(f"what was there is in {kept};", said)

    def start_held_restore(self):
        """A restore whose pg_restore waits for a file named `go`; its process and that of pg_restore."""
        self.script("pg_restore", 'echo $$ >"$0.starting"', 'mv "$0.starting" "$0.started"',
                    f'while [ ! -e "{self.path("go")}" ]; do sleep 0.05; done', f'exec {shutil.which("pg_restore")} "$@"')
        environment = {**clean_environment(), "DATABASE_URL": self.first, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        restore = self.enterContext(subprocess.Popen(
            [os.path.join(BIN, "omsctl"), "restore", self.path("backup")], env=environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        self.addCleanup(restore.kill)
        wait_until(lambda: os.path.exists(self.path("pg_restore.started")), "pg_restore to start")
        return restore, int(read(self.path("pg_restore.started")))

    def back_up_one_row(self, aggregate):
        """A backup with one row of an aggregate, of which there are two then."""
        with Stack(services=SERVICES, database_url=self.first) as stack, Reflected(stack.grpc) as client:
            write_one_row(aggregate)(client, 1, 1)
            self.run_ok(self.first, "backup", self.path("backup"))
            write_one_row(aggregate)(client, 2, 2)

    def test_a_restore_is_broken_off_neither_by_the_terminal_nor_by_who_ends_the_session(self):
        self.back_up_one_row("WHOLE")
        restore, program = self.start_held_restore()
        self.assertNotEqual(os.getpgid(program), os.getpgid(restore.pid), "Ctrl-C would end pg_restore")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.killpg(restore.pid, number)
        with open(self.path("go"), "w", encoding="utf-8"):
            pass
        said, _ = restore.communicate(timeout=60)
        self.assertEqual(restore.returncode, 0, said)
        with Stack(services=SERVICES, database_url=self.first) as stack, Reflected(stack.grpc) as client:
            self.assertEqual(quantities(client, "WHOLE"), {"S1-1": 1})

    def test_services_do_not_begin_new_stores_where_a_restore_was_broken_off(self):
        self.back_up_one_row("BROKEN")
        restore, program = self.start_held_restore()
        os.kill(restore.pid, signal.SIGKILL)
        os.kill(program, signal.SIGKILL)
        restore.wait()
        stack = Stack(services=SERVICES, state_dir=self.path("state"), database_url=self.first)
        process = stack.inventory
        process.start()
        self.addCleanup(process.kill)
        self.assertEqual(process.wait(), 3, process.log()[-2000:])
        kept, = self.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^inventory_before_'")
        for words in ("a restore was broken off", f"restore again, or put it back: ALTER SCHEMA {kept} RENAME TO inventory"):
            self.assertIn(words, process.log())
        self.run_ok(self.first, "restore", self.path("backup"))
        with Stack(services=SERVICES, database_url=self.first) as stack, Reflected(stack.grpc) as client:
            self.assertEqual(quantities(client, "BROKEN"), {"S1-1": 1})
        # A store that is not in a restored backup is begun anew, as what was there is kept on purpose.
        self.query("DROP SCHEMA gateway CASCADE")
        with Stack(services=SERVICES, database_url=self.first):
            pass

    def test_what_fails_behind_a_restore_is_told_and_the_restore_has_worked(self):
        with Stack(services=("gateway",), database_url=self.first):
            wait_until(lambda: self.query("SELECT count(*) FROM gateway.lease") != ["0"], "the gateway to take leases")
            self.run_ok(self.first, "backup", self.path("backup"))
        refusal = "ALTER TABLE gateway.lease ADD CHECK (holder IS NULL) NOT VALID"
        self.script("pg_restore", f'{shutil.which("pg_restore")} "$@" && psql --no-psqlrc --quiet --command "{refusal}"')
        done = omsctl(self.first, "restore", self.path("backup"), PATH=f"{self.folder}:{os.environ['PATH']}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("omsctl: the stores are restored, but", done.stderr)
        self.assertIn("what was there is in gateway_before_", done.stdout)

    def test_a_gateway_of_before_the_restore_holds_nothing_any_more(self):
        holders = "SELECT holder FROM gateway.lease WHERE holder <> ''"
        with Stack(services=("gateway",), database_url=self.first):
            wait_until(lambda: len(self.query(holders)) >= 16, "the gateway to hold the journal's partitions")
            self.run_ok(self.first, "backup", self.path("backup"))
        self.run_ok(self.first, "restore", self.path("backup"))
        self.assertEqual(self.query(holders), [])


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
