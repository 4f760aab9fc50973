"""Another process drives the shop by its control interface alone."""

import http.client
import json
import os
import subprocess
import sys
import tempfile

from oms_simulator.control import Client
from shop_case import MUG, Case
from shop_simulator import story
from shop_simulator.control import Control

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "shop")


class Driven(Case):
    def control(self, **settings):
        self.driven = self.shop([], **settings)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        control = Control(self.driven, os.path.join(folder.name, "control"))
        self.addCleanup(control.close)
        return Client(os.path.join(folder.name, "control"))

    def test_order_from_checkout_to_refund(self):
        client = self.control()
        client.post("/load", {"products": [MUG], "sources": [{"source_code": "oslo"}], "stocks": [
            {"name": "EU", "websites": ["base"], "sources": ["oslo"]}], "source_items": [
                {"sku": "MUG", "source_code": "oslo", "quantity": 9}]})
        order = client.post("/checkout", {"lines": [{"sku": "MUG", "quantity": 2}], "payment": "gateway"})
        number = {"increment_id": order["increment_id"]}
        client.post("/invoice", {**number, "capture": True})
        client.post("/ship", {**number, "arguments": {"extension_attributes": {"source_code": "oslo"}}})
        client.post("/return", {**number, "items": [
            {"order_item_id": order["items"][0]["item_id"], "qty_requested": 1, "reason": 1, "condition": 4,
             "resolution": 8}]})
        client.post("/refund", number)
        whole = client.get(f"/order/{order['increment_id']}")
        self.assertEqual({name: len(whole[name]) for name in ("invoices", "shipments", "creditmemos", "transactions",
                                                              "returns")},
                         {"invoices": 1, "shipments": 1, "creditmemos": 1, "transactions": 2, "returns": 1})
        self.assertEqual((whole["order"]["state"], [e["operation"] for e in whole["gateway"]]),
                         ("closed", ["authorize", "capture"]))
        self.assertEqual(client.get("/stock")["source_items"][0]["quantity"], 100)
        self.assertEqual([mail["kind"] for mail in client.get("/mails")], ["order"])

    def test_uncommitted_order_is_seen_later_with_the_number_and_time_of_its_statement(self):
        client = self.control()
        client.post("/product", MUG)
        client.post("/clock", {"fix": "2023-11-14 22:13:20"})
        held = client.post("/checkout", {"lines": [{"sku": "MUG"}], "uncommitted": True})
        client.post("/clock", {"move_s": 8})
        later = client.post("/checkout", {"lines": [{"sku": "MUG"}]})
        self.assertEqual((held["entity_id"], later["entity_id"], client.get("/state")["orders"]), (1, 2, 1))
        order = client.post("/commit", {"transaction": held["transaction"]})
        self.assertEqual((order["increment_id"], order["updated_at"]), ("000000001", "2023-11-14 22:13:20"))
        gone = client.post("/checkout", {"lines": [{"sku": "MUG"}], "uncommitted": True})
        client.post("/commit", {"transaction": gone["transaction"], "roll_back": True})
        self.assertEqual(client.post("/checkout", {"lines": [{"sku": "MUG"}]})["entity_id"], 4)

    def test_shop_side_changes(self):
        client = self.control(msi=False)
        client.post("/product", MUG)
        order = client.post("/checkout", {"lines": [{"sku": "MUG"}]})
        new = client.post("/edit-order",
                          {"increment_id": order["increment_id"], "lines": [{"sku": "MUG", "quantity": 3}]})
        self.assertEqual(new["increment_id"], "000000001-1")
        client.post("/hold", {"increment_id": new["increment_id"]})
        client.post("/hold", {"increment_id": new["increment_id"], "release": True})
        client.post("/status", {"increment_id": new["increment_id"], "state": "processing", "status": "odd"})
        self.assertEqual(client.post("/cancel", {"increment_id": new["increment_id"]}), True)
        client.post("/stock", {"sku": "MUG", "quantity": 7})
        self.assertEqual(client.get("/stock")["items"]["MUG"]["qty"], 7)
        client.post("/product", {"sku": "MUG", "rename": "CUP"})
        client.post("/product", {"sku": "CUP", "delete": True})
        self.assertEqual(client.get("/state")["products"], 0)

    def test_requests_are_kept_without_credentials(self):
        client = self.control()
        self.call(self.driven, "POST", "/V1/orders/9/comments", {"statusHistory": {"comment": "hi"}})
        [seen] = client.post("/wait-requests", {"verb": "POST", "path": "/comments", "timeout_s": 5})
        self.assertEqual((seen["status"], seen["headers"]["authorization"]), (404, "…"))
        self.assertEqual(json.loads(client.get("/requests")[0]["body"]), {"statusHistory": {"comment": "hi"}})
        client.post("/requests", {})
        self.assertEqual(client.get("/requests"), [])

    def test_settings_faults_and_mistakes(self):
        client = self.control()
        client.post("/settings", {"version": "2.2", "msi": False, "auto_restock": True})
        self.assertEqual((client.get("/settings")["version"], self.driven.settings.old), ("2.2", True))
        client.post("/faults", {"fault": "throttled", "path": "/V1/modules", "times": 1})
        self.assertEqual(self.call(self.driven, "GET", "/V1/modules")[0], 429)
        client.post("/faults", {"gateway": "capture", "after": True})
        client.post("/faults", {"down": True})
        client.post("/faults", {})
        client.post("/faults", {"down": False})
        for path, asked, said in (("/settings", {"colour": 1}, "setting 'colour' is not one of"),
                                  ("/settings", {"version": "1"}, "neither"),
                                  ("/checkout", {"lines": [{"sku": "NO"}]}, "doesn't exist"),
                                  ("/nothing", {}, "is not one of"),
                                  ("/faults", {"fault": "fire"}, "not one of"),
                                  ("/faults", {"gateway": "steal"}, "not one of"),
                                  ("/csv", {"path": "/nonexistent"}, "No such file")):
            with self.subTest(path), self.assertRaisesRegex(RuntimeError, said):
                client.post(path, asked)

    def test_generated_catalog_and_bulks(self):
        client = self.control()
        self.assertEqual(client.post("/generate", {"count": 25, "prefix": "G"}), {"products": 25})
        self.assertEqual(client.post("/wait-bulks", {"timeout_s": 5}), {})


class Script(Case):
    def test_serves_and_talks(self):
        with tempfile.TemporaryDirectory() as folder:
            control = os.path.join(folder, "control")
            process = subprocess.Popen([sys.executable, SCRIPT, "--control", control, "serve", "--listen",
                                        "127.0.0.1:0", "--version", "2.2",
                                        "--no-msi", "--token", "t", "--set", "auto_restock=true"],
                                        stdout=subprocess.PIPE, text=True)
            try:
                address = process.stdout.readline().split()[3].rstrip(",").removeprefix("http://")
                self.run_script(control, "do", "load", json.dumps({"products": [MUG]}))
                order = self.run_script(control, "do", "checkout", json.dumps({"lines": [{"sku": "MUG"}]}))
                self.assertEqual(self.run_script(control, "order", order["increment_id"])["order"]["grand_total"], 15)
                self.assertEqual(self.run_script(control, "settings")["auto_restock"], True)
                connection = http.client.HTTPConnection(address, timeout=10)
                connection.request("GET", "/rest/V1/orders/1", headers={"Authorization": "Bearer t"})
                self.assertEqual(json.loads(connection.getresponse().read())["increment_id"], "000000001")
                connection.close()
            finally:
                process.terminate()
                process.stdout.close()
                self.assertEqual(process.wait(10), 0)

    def test_demo_shop_is_furnished(self):
        with tempfile.TemporaryDirectory() as folder:
            control = os.path.join(folder, "control")
            process = subprocess.Popen([sys.executable, SCRIPT, "--control", control, "serve", "--listen", "127.0.0.1:0", "--demo"],
                                       stdout=subprocess.PIPE, text=True)
            try:
                process.stdout.readline()
                self.assertEqual(self.run_script(control, "state")["products"], 7)
                self.assertIn("oms_received", self.run_script(control, "settings")["statuses"])
            finally:
                process.terminate()
                process.stdout.close()
                self.assertEqual(process.wait(10), 0)

    def test_the_demo_s_mapping_file_is_about_its_shop(self):
        with open(os.path.join(os.path.dirname(SCRIPT), "..", "..", "compose", "demo.mapping"), encoding="utf-8") as file:
            mapping = file.read()
        stock, = story.FURNITURE["stocks"]
        for website, source in zip(stock["websites"], stock["sources"], strict=True):
            self.assertRegex(mapping, rf"(?m)^website {website} = ")
            self.assertRegex(mapping, rf"(?m)^aggregate \S+ = {website} source={source}$")

    def run_script(self, control, *arguments):
        done = subprocess.run([sys.executable, SCRIPT, "--control", control, *arguments], capture_output=True,
                              text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)
