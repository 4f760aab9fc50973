"""What an operator sees: health, logs, sockets."""

import http.client
import json
import tempfile
import unittest

from stack import SERVICES, Stack


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(Stack())

    def get(self, path):
        connection = http.client.HTTPConnection(self.stack.admin, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()

    def test_admin_port_says_healthy_and_ready_without_an_oms(self):
        self.assertEqual(self.get("/healthz")[0], 200)
        self.assertEqual(self.get("/readyz")[0], 200)
        self.assertEqual(self.get("/nothing-here")[0], 404)

    def test_callback_port_has_no_admin_pages(self):
        connection = http.client.HTTPConnection(self.stack.http, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", "/healthz")
        self.assertEqual(connection.getresponse().status, 404)

    def test_logs_are_one_json_object_a_line_and_name_what_has_started(self):
        for process in self.stack.processes.values():
            with self.subTest(process.name):
                lines = process.log().splitlines()
                self.assertTrue(lines)
                for line in lines:
                    self.assertIsInstance(json.loads(line), dict, line)
                self.assertTrue(any("started" in line for line in lines), lines)

    def test_nothing_is_warned_about_at_a_plain_start(self):
        for process in self.stack.processes.values():
            with self.subTest(process.name):
                self.assertNotRegex(process.log(), '"(warning|error)"')

    def test_second_process_on_a_socket_in_use_leaves_the_first_alone(self):
        for name in SERVICES:
            with self.subTest(name):
                first = next(p for p in self.stack.processes.values() if p.name == name)
                second = type(first)(name, first.environment, first.log_path + ".second")
                if name == "gateway":  # the socket alone is to be in the way
                    store = tempfile.TemporaryDirectory(dir="/tmp")
                    self.addCleanup(store.cleanup)
                    second.environment = {**first.environment, **Stack.free_ports(), "DATABASE_URL": f"sqlite:{store.name}"}
                second.start()
                self.addCleanup(second.kill)
                self.assertEqual(second.wait(), 3, second.log())
                self.assertIn(".sock", second.log())
                self.assertTrue(first.healthy())

    def test_second_gateway_on_a_store_ends_and_says_why(self):
        first = self.stack.gateway
        second = type(first)("gateway", {
            **first.environment, **Stack.free_ports(), "LISTEN": f"unix:{self.stack.state_dir}/second.sock",
        }, first.log_path + ".alone")
        second.start()
        self.addCleanup(second.kill)
        self.assertEqual(second.wait(), 3, second.log())
        self.assertIn("DATABASE_URL", second.log())
        self.assertTrue(first.healthy())


if __name__ == "__main__":
    unittest.main()
