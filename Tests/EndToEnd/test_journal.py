"""Looking at messages, replaying and discarding them, as an operator does."""

import json
import os
import pty
import pwd
import signal
import subprocess
import unittest

from bus import BusCase
from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from stack import BIN, clean_environment
from waiting import wait_until

USER = pwd.getpwuid(os.getuid()).pw_name
CREATED = "2024-02-03T04:05:06+00:00"


class Journal(BusCase):
    OPTIONS = {"oms_synchronous_methods": ""}

    def omsctl(self, *arguments, code=0, **options):
        done = self.stack.omsctl(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def listed(self, *filters):
        return json.loads(self.omsctl("journal", "list", "--json", *filters).stdout)["messages"]

    def stored(self, number):
        return json.loads(self.omsctl("journal", "show", str(number), "--json").stdout)["message"]

    def wait_for(self, status, *filters):
        """The newest message that the filter finds, once it has this status."""
        def ended():
            found = self.listed(*filters)
            return found and found[0]["status"] == f"MESSAGE_STATUS_{status}" and found[0]

        return wait_until(ended, f"{filters} to be {status}: {self.listed(*filters)}")

    def publish_poison(self, aggregate):
        """A message that no service can consume: a mode that there is not."""
        self.oms.bus.publish(UPDATED, snapshot(aggregate, "PARTIAL", CREATED, [("A", 1)]))
        return self.wait_for("ERROR", "--key", aggregate)

    def test_a_message_is_found_and_shown(self):
        self.oms.publish_stock("SHOWN", "FULL", CREATED, [("A", 1), ("B", 2)])
        found = self.wait_for("SUCCESS", "--key", "SHOWN")
        self.assertEqual((found["method"], found["key"], found["destination"]), (UPDATED, "SHOWN", "inventory"))
        table = self.omsctl("journal", "list", "--key", "SHOWN").stdout
        self.assertRegex(table, rf"{found['id']} +in +SUCCESS .* SHOWN +{UPDATED}")
        shown = self.omsctl("journal", "show", str(found["id"])).stdout
        for text in ("SUCCESS", UPDATED, "BODY", '"aggregate_id"', "delivery id"):
            self.assertIn(text, shown)

    def test_a_poisonous_message_is_listed_as_dead_and_can_be_given_up(self):
        found = self.publish_poison("POISON")
        dead = self.omsctl("dead")
        self.assertIn("POISON", dead.stdout)
        self.assertIn("omsctl journal replay ID", dead.stderr)
        self.assertIn("given up: see", self.omsctl("status").stdout)
        given_up = self.omsctl("journal", "discard", str(found["id"]), "--reason", "sent by mistake", "--by", "anna")
        self.assertIn("IGNORED", given_up.stdout)
        message = self.stored(found["id"])
        self.assertEqual((message["reason"], message["handled_by"]), ("sent by mistake", f"{USER} (as anna)"))
        self.assertEqual(message["original_reason"], found["reason"])
        self.assertNotIn("POISON", self.omsctl("dead").stdout)
        nothing = self.omsctl("dead", "--key", "POISON")
        self.assertEqual((nothing.stdout, nothing.stderr), ("", "no such message was given up\n"))

    def test_what_a_filter_finds_is_given_up_at_once(self):
        self.publish_poison("MANY")
        self.publish_poison("MANY")
        dry = self.omsctl("journal", "discard", "--key", "MANY", "--dry-run").stdout
        self.assertRegex(dry, r"FOUND +WOULD BE DISCARDED\n +2 +2\n")
        done = json.loads(self.omsctl("journal", "discard", "--key", "MANY", "--reason", "known", "--json").stdout)
        self.assertEqual((done["matched"], done["discarded"]), (2, 2))
        self.assertEqual({m["reason"] for m in self.listed("--key", "MANY")}, {"known"})

    def test_a_replay_delivers_again_and_says_that_it_is_out_of_order(self):
        poison = self.publish_poison("AGAIN")
        self.oms.publish_stock("AGAIN", "DELTA", CREATED, [("A", 7)])
        good = self.wait_for("SUCCESS", "--key", "AGAIN")
        dry = self.omsctl("journal", "replay", "--key", "AGAIN", "--dry-run")
        self.assertIn("WOULD BE REPLAYED", dry.stdout)
        self.assertEqual(self.stored(poison["id"])["replay_count"], 0)
        done = self.omsctl("journal", "replay", "--key", "AGAIN", "--by", "anna")
        self.assertIn(f"message {poison['id']} comes out of order", done.stderr)
        wait_until(lambda: self.stored(poison["id"])["status"] == "MESSAGE_STATUS_ERROR", "the replay to end")
        replayed = self.stored(poison["id"])
        self.assertEqual((replayed["replay_count"], replayed["handled_by"]), (1, f"{USER} (as anna)"))
        self.omsctl("journal", "replay", str(good["id"]))
        wait_until(lambda: self.stored(good["id"])["status"] == "MESSAGE_STATUS_SUCCESS", "the replay to end")
        self.assertEqual(self.stored(good["id"])["replay_count"], 1)
        self.assertEqual(self.quantities("AGAIN"), {"A": 7})

    def test_secrets_are_not_shown(self):
        params = snapshot("MASKED", "FULL", CREATED, [("A", 1)])
        params["snapshot"]["note"] = {"client_secret": "hunter2hunter2", "card": "4111 1111 1111 1111"}
        self.oms.bus.publish(UPDATED, params)
        found = self.wait_for("SUCCESS", "--key", "MASKED")
        for shown in (self.omsctl("journal", "show", str(found["id"])).stdout, self.stored(found["id"])["body"]):
            self.assertIn("***", shown)
            self.assertNotIn("hunter2", shown)
            self.assertNotIn("4111 1111", shown)

    def test_what_waits_is_shown_with_its_reason_and_can_be_discarded(self):
        self.stack.inventory.signal(signal.SIGTERM)
        self.stack.inventory.wait()
        try:
            for n in range(3):
                params = snapshot("WAITS", "DELTA", CREATED, [("A", n)])
                self.send(self.message(params, message_id=f"w-{n}"))
            queue = json.loads(self.omsctl("queue", "inventory", "--json").stdout)["queues"][0]
            self.assertEqual((queue["destination"], queue["depth"], queue["keys"][0]["key"]), ("inventory", 3, "WAITS"))
            self.assertIn("WAITS", self.omsctl("queue").stdout)
            self.assertRegex(self.omsctl("status", code=1).stdout, r"3 messages wait, \d+ given up: see omsctl queue")
            newest = self.listed("--key", "WAITS", "--status", "PENDING")[0]
            self.omsctl("journal", "discard", str(newest["id"]), "--reason", "not needed")
            self.assertEqual(self.stored(newest["id"])["status"], "MESSAGE_STATUS_IGNORED")
        finally:
            self.stack.inventory.start().wait_healthy()
        wait_until(lambda: not self.listed("--status", "PENDING"), "the queue to be empty")
        self.assertEqual(self.quantities("WAITS"), {"A": 1})

    def test_tail_shows_what_comes(self):
        environment = {**clean_environment(), "OMSCTL_GATEWAY": f"unix:{self.stack.state_dir}/gateway.sock"}
        command = [os.path.join(BIN, "omsctl"), "journal", "tail", "--json", "--key", "TAILED"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as tail:
            try:
                for n in range(3):
                    self.oms.publish_stock("TAILED", "DELTA", CREATED, [("A", n)])
                    self.assertEqual(json.loads(tail.stdout.readline())["key"], "TAILED")
            finally:
                tail.terminate()

    def test_tail_survives_a_restart_of_the_gateway_and_tells_what_became_of_a_message(self):
        environment = {**clean_environment(), "OMSCTL_GATEWAY": f"unix:{self.stack.state_dir}/gateway.sock"}
        command = [os.path.join(BIN, "omsctl"), "journal", "tail", "--json", "--key", "RESTART"]
        self.stack.inventory.signal(signal.SIGTERM)
        self.stack.inventory.wait()
        with subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tail:
            try:
                self.send(self.message(snapshot("RESTART", "DELTA", CREATED, [("A", 1)]), message_id="restart-1"))
                waiting = json.loads(tail.stdout.readline())
                self.assertEqual(waiting["status"], "MESSAGE_STATUS_PENDING")
                self.stack.gateway.signal(signal.SIGTERM)
                self.stack.gateway.wait()
                self.assertIn("is away", tail.stderr.readline())
                self.stack.gateway.start().wait_healthy()
                self.assertIn("is back", tail.stderr.readline())
                self.stack.inventory.start().wait_healthy()
                ended = json.loads(tail.stdout.readline())
                self.assertEqual((ended["id"], ended["status"]), (waiting["id"], "MESSAGE_STATUS_SUCCESS"))
            finally:
                tail.terminate()

    def test_wrong_use_says_what_to_do(self):
        self.assertIn("omsctl journal list", self.omsctl("journal", "show", "x", code=2).stderr)
        self.assertIn("NOT_FOUND", self.omsctl("journal", "show", "999999", code=1).stderr)
        self.assertIn("PENDING", self.omsctl("journal", "replay", "--status", "LOST", code=2).stderr)

    def test_the_journal_is_for_its_owner_only(self):
        for name in os.listdir(os.path.join(self.stack.state_dir, "data")):
            if name.startswith("gateway.sqlite"):
                mode = os.stat(os.path.join(self.stack.state_dir, "data", name)).st_mode & 0o777
                self.assertEqual(mode, 0o600, name)


class Import(BusCase):
    def write(self, text):
        return self.write_named("stock.csv", text)

    def write_named(self, name, text):
        path = os.path.join(self.stack.state_dir, name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path

    def test_a_csv_file_becomes_stock(self):
        path = self.write('sku,quantity,unlimited\r\nMUG,14,\r\n"a,""b""",2,\r\nEBOOK,0,true\r\n')
        done = self.stack.omsctl("stock", "import", path, "--aggregate", "CSV", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["applied"], 3)
        self.assertEqual(done.stderr, "", "a bar is for terminals")
        self.assertEqual(self.quantities("CSV"), {"MUG": 14, 'a,"b"': 2, "EBOOK": None})

    def test_nothing_is_sent_of_a_file_with_an_error(self):
        path = self.write("sku,quantity\nA,1\nB,many\n")
        done = self.stack.omsctl("stock", "import", path, "--aggregate", "WRONG")
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 3", done.stderr)
        self.assertEqual(self.quantities("WRONG"), {})

    def test_a_terminal_gets_a_bar(self):
        path = self.write("sku,quantity\n" + "".join(f"S{n},{n}\n" for n in range(12_000)))
        leader, follower = pty.openpty()
        environment = {**clean_environment(), "OMSCTL_GATEWAY": f"unix:{self.stack.state_dir}/gateway.sock"}
        done = subprocess.run(
            [os.path.join(BIN, "omsctl"), "stock", "import", path, "--aggregate", "BAR", "--mode", "NONZERO"],
            env=environment, stdout=subprocess.PIPE, stderr=follower, text=True, timeout=60)
        os.close(follower)
        shown = self.everything(leader)
        os.close(leader)
        self.assertEqual(done.returncode, 0, shown)
        self.assertIn("12000 of 12000 rows", shown)
        self.assertEqual(len(self.quantities("BAR")), 12_000)

    @staticmethod
    def everything(leader):
        """What was written to a terminal that has been closed."""
        shown = b""
        while True:
            try:
                shown += os.read(leader, 65_536)
            except OSError:  # the end
                return shown.decode()

    def test_a_file_twice_changes_nothing_and_what_it_leaves_out_becomes_0(self):
        path = self.write("sku,quantity\n" + "".join(f"S{n},{n + 1}\n" for n in range(6_000)))
        os.utime(path, (1_700_000_000, 1_700_000_000))
        before = self.write_named("before.csv", "sku,quantity\nOLD,5\nS1,77\n")
        os.utime(before, (1_600_000_000, 1_600_000_000))
        for _ in range(2):
            self.stack.omsctl("stock", "import", before, "--aggregate", "TWICE")
            done = self.stack.omsctl("stock", "import", path, "--aggregate", "TWICE", "--mode", "NONZERO")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("stock as of 2023-11-14T22:13:20Z, when the file was last changed", done.stderr)
            quantities = self.quantities("TWICE")
            self.assertEqual((len(quantities), quantities["OLD"], quantities["S1"]), (6_001, 0, 2))

    def test_a_row_that_is_not_applied_as_it_stands_has_the_number_of_its_line(self):
        rows = "".join(f"S{n},{-1 if n == 5_500 else n}\n" for n in range(6_000))
        done = self.stack.omsctl("stock", "import", self.write("sku,quantity\n" + rows), "--aggregate", "LINES")
        self.assertRegex(done.stdout, r"clamped +5502 +LINES +S5500")


if __name__ == "__main__":
    unittest.main()
