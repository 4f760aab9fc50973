"""A bad setting stops the start and is named with its value and with what is allowed."""

import os
import subprocess
import unittest

from stack import BIN, SERVICES, Stack


def run(stack, name, *arguments, **changes):
    """The finished executable, started with the stack's environment and these changes."""
    process = next(p for p in stack.processes.values() if p.name == name)
    environment = {**process.environment, **changes}
    return subprocess.run(
        [os.path.join(BIN, name), *arguments], env=environment, capture_output=True, text=True, timeout=30)


class Configuration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()  # not started: for its folders and settings

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__()

    def test_bad_value_ends_with_status_2_and_names_variable_value_and_what_is_allowed(self):
        cases = [(name, "LISTEN", "nonsense", "unix:") for name in SERVICES]
        cases += [(name, "LOG_LEVEL", "loud", "info") for name in SERVICES]
        cases += [
            ("gateway", "GATEWAY_HTTP", "no-port", "HOST:PORT"),
            ("gateway", "GATEWAY_ADMIN", "127.0.0.1:99999", ""),
            ("gateway", "OMS_URL", "ftp://oms", "http"),
            ("gateway", "OMS_REQUIRE_SIGNATURE", "perhaps", ""),
            ("gateway", "INVENTORY_TARGET", "nonsense", "unix"),
        ]
        for name, variable, value, allowed in cases:
            with self.subTest(name=name, variable=variable):
                ended = run(self.stack, name, **{variable: value})
                self.assertEqual(ended.returncode, 2, ended.stderr)
                for word in (variable, value, allowed):
                    self.assertIn(word, ended.stderr)

    def test_bad_store_is_named_without_showing_its_password(self):
        for value in ("mysql://oms:s3cret@host/shop", "postgresql://oms:s3cret@host:port/shop"):
            with self.subTest(value):
                ended = run(self.stack, "inventory", DATABASE_URL=value)
                self.assertEqual(ended.returncode, 2, ended.stderr)
                for word in ("DATABASE_URL", "sqlite:", "postgresql://"):
                    self.assertIn(word, ended.stderr)
                self.assertNotIn("s3cret", ended.stderr)

    def test_unknown_argument_ends_with_status_2(self):
        for name in SERVICES:
            with self.subTest(name):
                ended = run(self.stack, name, "--frobnicate")
                self.assertEqual(ended.returncode, 2, ended.stderr)
                self.assertIn("--frobnicate", ended.stderr)

    def test_help_lists_the_settings_and_exit_codes(self):
        for name in SERVICES:
            with self.subTest(name):
                ended = run(self.stack, name, "--help")
                self.assertEqual(ended.returncode, 0)
                for word in ("LISTEN", "--check", "Exit codes"):
                    self.assertIn(word, ended.stdout)

    def test_check_of_a_service_that_does_not_run_fails(self):
        for name in SERVICES:
            with self.subTest(name):
                self.assertNotEqual(run(self.stack, name, "--check").returncode, 0)

    def test_secret_from_a_file(self):
        path = os.path.join(self.stack.state_dir, "secret")
        ended = run(self.stack, "gateway", OMS_SECRET_FILE=path + ".missing")
        self.assertEqual(ended.returncode, 2, ended.stderr)
        self.assertIn("OMS_SECRET_FILE", ended.stderr)


if __name__ == "__main__":
    unittest.main()
