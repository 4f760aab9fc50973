"""compose/up and compose/down, as a newcomer types them."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from oms_simulator.story import EXPECTED
from reflected import Reflected
from bus import quantities
from stack import ROOT, clean_environment, free_address
from waiting import wait_until


class Compose(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="oms-", dir="/tmp")
        self.grpc = free_address()
        self.environment = {
            **clean_environment(), "STATE_DIR": self.folder, "GATEWAY_GRPC": self.grpc, "GATEWAY_HTTP": free_address(),
            "GATEWAY_ADMIN": free_address(), "DEMO_OMS": free_address(), "DEMO_SHOP": free_address()}
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.down)

    def run_script(self, name, *arguments, cwd=ROOT, **changes):
        return subprocess.run(
            [os.path.join(ROOT, "compose", name), *arguments], env={**self.environment, **changes}, cwd=cwd,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)

    def up(self, *arguments, **options):
        done = self.run_script("up", "--detach", *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def down(self):
        return self.run_script("down")

    def pid(self, name):
        with open(os.path.join(self.folder, "pids", name)) as file:
            return int(file.read().split()[0])

    def supervisor_log(self):
        with open(os.path.join(self.folder, "log", "supervisor.log")) as file:
            return file.read()

    def test_demo_tells_the_story_and_the_right_quantities_are_there(self):
        told = self.up("--demo").stdout
        with Reflected(self.grpc) as client:
            self.assertEqual(quantities(client, "EU-WEB"), EXPECTED)
        for line in ("registered      connector", "FULL snapshot, part 1", "DELTA", "FULL snapshot, part 2", "stale 1"):
            self.assertIn(line, told)
        self.assertRegex(told, r"MUG-GREEN +7\b")
        # 2 × 12 and 20 and 5 for shipping, with 19 % of tax: 58.31. Then one mug comes back.
        for line in ("58.31 EUR, which are authorised", "exports it as 4 lines", "shows oms_received", "shows oms_fulfilment",
                     "shows oms_part_shipped", "2 shipments, 58.31 EUR captured, the order is complete",
                     "credit memo over 14.28 EUR", "authorize 58.31, capture 20.23, capture 38.08, refund 14.28 EUR"):
            self.assertIn(line, told)
        self.assertIn("magento.inventory.aggregate_stock_management.updated", told)
        self.assertIn(self.grpc, told)

    def test_docker_that_is_missing_or_too_old_is_told_with_what_to_do(self):
        """Of Docker there is a stand-in that knows its versions and can't build."""
        cases = [
            ("2.24.3", "27.1.0", "docker compose is 2.24.3; the files need 2.24.4 or newer"),
            ("v2.9.0", "27.1.0", "docker compose is v2.9.0; the files need 2.24.4 or newer"),
            ("2.29.7", "24.0.9", "the Docker engine is 24.0.9; the files need 25 or newer"),
            ("", "27.1.0", "install docker-compose-plugin"), ("2.29.7", "", "the Docker engine does not answer"),
            # New enough: it gets as far as to its commands.
            ("v2.24.4", "25.0.0", "the images could not be built"), ("5.0.1", "29.0.0-rc.1", "the images could not be built")]
        programs = os.path.join(self.folder, "programs")
        os.mkdir(programs)
        with open(os.path.join(programs, "docker"), "w") as file:
            file.write("""#!/bin/sh
case "$*" in
"compose version"*) echo "$COMPOSE" && [ -n "$COMPOSE" ] ;;
"version --format"*) echo "$ENGINE" && [ -n "$ENGINE" ] ;;
*" build "*) false ;;
esac
""")
        os.chmod(file.name, 0o755)
        for compose, engine, expected in cases:
            with self.subTest(compose=compose, engine=engine):
                done = self.run_script(
                    "up", "--docker", "--detach", COMPOSE=compose, ENGINE=engine, PATH=f"{programs}:{os.environ['PATH']}")
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(expected, done.stderr)

    def test_printed_calls_work_with_tokens_over_tls(self):
        token = "a-token-of-the-tests-1"
        with open(os.path.join(self.folder, "tokens"), "w") as file:
            file.write(f"tests:{token}\n")
        certificates = os.path.join(self.folder, "certificates")
        os.mkdir(certificates)
        subprocess.run([os.path.join(ROOT, "Tests/Support/certificates"), certificates], check=True, timeout=60)
        files = {name: os.path.join(certificates, name) for name in ("server.pem", "server.key", "ca.pem")}
        settings = {
            "GATEWAY_TOKENS_FILE": os.path.join(self.folder, "tokens"), "TLS_CERTIFICATE_FILE": files["server.pem"],
            "TLS_KEY_FILE": files["server.key"]}
        said = self.up(**settings).stdout
        tried = [line.strip() for line in said.split("Try\n")[1].splitlines()]
        control, buf = tried[0], next(line for line in tried if line.startswith("buf"))
        buf = buf.replace("TOKEN", token).replace("CA.pem", files["ca.pem"])
        path = os.path.dirname(sys.executable) + ":" + os.environ["PATH"]
        for command, answer in ((control, "SERVING"), (buf, "omsconnector.v1.GatewayService/GetRegistration")):
            with self.subTest(command):
                done = subprocess.run(
                    ["bash", "-c", command], cwd=ROOT, env={**clean_environment(), "PATH": path}, capture_output=True,
                    text=True, timeout=60)
                self.assertIn(answer, done.stdout, done.stderr)

    def test_other_addresses_than_loopback_are_not_open_to_everybody_unasked(self):
        done = self.run_script("up", "--detach", GATEWAY_GRPC=self.grpc.replace("127.0.0.1", "0.0.0.0"))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("GATEWAY_TOKENS_FILE", done.stderr)
        self.assertIn("gateway refuses its configuration", done.stderr)

    def test_printed_command_stops_this_stack_from_anywhere(self):
        for cwd in (ROOT, "/"):
            with self.subTest(cwd):
                said = self.up(cwd=cwd).stdout
                self.assertNotIn("MUG-GREEN", said)  # only the demo's OMS knows it
                command = said.splitlines()[-1].removesuffix(" stops it.")
                done = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout), (0, "stopped\n"), command + done.stderr)

    def test_down_explains_itself(self):
        done = self.run_script("down", "--help")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("STATE_DIR", done.stdout)

    def test_detached_stack_is_healthy_in_under_5_s_and_stops_within_10(self):
        began = time.monotonic()
        self.up()
        self.assertLess(time.monotonic() - began, 5)
        began = time.monotonic()
        done = self.down()
        self.assertEqual((done.returncode, done.stdout), (0, "stopped\n"), done.stderr)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("nothing runs", self.down().stdout)

    def test_state_is_for_its_owner_only(self):
        os.chmod(self.folder, 0o755)
        self.up()
        self.assertEqual(os.stat(self.folder).st_mode & 0o777, 0o700)
        for folder, _, files in os.walk(self.folder):
            for name in files:
                path = os.path.join(folder, name)
                if not stat.S_ISSOCK(os.stat(path).st_mode):
                    self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)

    def test_second_up_is_a_clear_error(self):
        self.up()
        again = self.run_script("up", "--detach")
        self.assertEqual(again.returncode, 1)
        self.assertIn("compose/down", again.stderr)

    def test_dead_service_is_started_again_and_that_is_said(self):
        self.up("--scale", "inventory=2")
        for name in ("inventory-2", "catalog"):
            with self.subTest(name):
                before = self.pid(name)
                os.kill(before, signal.SIGKILL)
                wait_until(lambda: self.pid(name) != before, f"{name} to be started again")
                self.assertRegex(self.supervisor_log(), rf"{name} ended \(killed by SIGKILL\); starting it again in 0\.250 s")

    def test_delay_doubles_while_a_service_keeps_ending(self):
        self.up()
        for delay in ("0.250", "0.500", "1.000"):
            before = self.pid("sales")
            os.kill(before, signal.SIGKILL)
            wait_until(lambda: self.pid("sales") != before, "sales to be started again")
            self.assertIn(f"starting it again in {delay} s", self.supervisor_log())

    def test_what_a_crashed_run_left_behind_is_cleaned_up(self):
        self.up()
        names = [name for name in os.listdir(os.path.join(self.folder, "pids"))]
        self.assertIn("supervisor", names)
        for name in names:
            if name == "supervisor" or name.startswith("keeper-"):
                os.kill(self.pid(name), signal.SIGKILL)
        again = self.up()
        self.assertIn("crashed run", again.stdout)

    def test_stop_without_a_supervisor(self):
        self.up()
        os.kill(self.pid("supervisor"), signal.SIGKILL)
        self.assertEqual(self.down().stdout, "stopped\n")

    def test_foreground_stack_stops_at_an_interrupt(self):
        up = subprocess.Popen(
            [os.path.join(ROOT, "compose", "up")], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.addCleanup(up.stdout.close)
        for line in up.stdout:
            if "stops it" in line:
                break
        os.killpg(up.pid, signal.SIGINT)
        rest, _ = up.communicate(timeout=30)
        self.assertEqual(up.returncode, 130)
        self.assertIn("stopped", rest)
        self.assertIn("nothing runs", self.down().stdout)

    def test_stacks_run_side_by_side_and_a_relative_state_dir_is_the_callers(self):
        self.up()
        with tempfile.TemporaryDirectory(prefix="oms-", dir="/tmp") as folder:
            other = {"STATE_DIR": "state", "GATEWAY_GRPC": free_address(), "GATEWAY_HTTP": free_address(),
                     "GATEWAY_ADMIN": free_address()}
            self.up(cwd=folder, **other)
            self.assertTrue(os.path.exists(os.path.join(folder, "state", "gateway.sock")))
            self.assertEqual(self.run_script("down", cwd=folder, **other).stdout, "stopped\n")

    def test_service_that_refuses_its_configuration_is_shown_and_the_stack_taken_down(self):
        ended = self.run_script("up", "--detach", OMS_URL="ftp://oms")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("OMS_URL", ended.stderr)
        self.assertIn("nothing runs", self.down().stdout)

    def test_port_in_use_is_shown_and_the_stack_taken_down(self):
        self.up()
        with tempfile.TemporaryDirectory(prefix="oms-", dir="/tmp") as folder:
            ended = self.run_script("up", "--detach", STATE_DIR=folder)
            self.assertEqual(ended.returncode, 1)
            self.assertTrue(re.search(r"127\.0\.0\.1:\d+", ended.stderr), ended.stderr)

    def test_bad_arguments_and_settings_are_named(self):
        for arguments, changes, words in [
            (["--scale", "inventory=0"], {}, ["inventory=0", "1 to 16"]),
            (["--scale", "sales=2"], {}, ["sales=2"]),
            (["--nonsense"], {}, ["--nonsense"]),
            (["--docker"], {"DOCKER_HOST": "unix:///nonexistent"}, ["docker"]),
            (["--postgres"], {}, ["--postgres", "--docker", "DATABASE_URL"]),
            ([], {"STATE_DIR": "/tmp/" + "x" * 120}, ["STATE_DIR", "107"]),
            ([], {"GATEWAY_HTTP": "8080"}, ["GATEWAY_HTTP", "8080", "HOST:PORT"]),
        ]:
            with self.subTest(arguments=arguments, changes=changes):
                ended = self.run_script("up", *arguments, **changes)
                self.assertEqual(ended.returncode, 2, ended.stderr)
                for word in words:
                    self.assertIn(word, ended.stderr)


if __name__ == "__main__":
    unittest.main()
