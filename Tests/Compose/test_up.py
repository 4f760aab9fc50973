"""compose/up --docker and compose/down --docker."""

import os
import socket
import tempfile
import unittest

from engine import BUILD_LIMIT_S, ON_POSTGRES, Project, made_secrets, run
from waiting import wait_until

SECRETS = {"DATABASE_URL_FILE": "database-url", "POSTGRES_PASSWORD_FILE": "postgres-password"}
HELD = "SELECT count(*) FROM gateway.lease WHERE key LIKE 'partition%' AND holder <> '' AND expires_at > 0 GROUP BY holder"


class Up(unittest.TestCase):
    def play(self, project, *options):
        """The demo on a stack that is gone afterwards, with its volumes."""
        self.enterContext(project)
        done = run(["compose/up", "--docker", "--demo", "--detach", *options], project.environment, timeout=BUILD_LIMIT_S)
        self.assertIn("in all: authorize 58.31, capture 20.23, capture 38.08, refund 14.28 EUR", done.stdout)
        return done.stdout

    def test_plays_the_demo_in_containers(self):
        project = Project("oms-demo", profiles=("demo",))
        self.play(project, "--scale", "inventory=2")
        self.assertEqual(len(project.containers("inventory")), 2)
        run(["compose/down", "--docker"], project.environment)
        self.assertEqual(project.containers("gateway"), [])

    def test_plays_the_demo_on_postgresql_and_keeps_what_is_in_its_volume(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        project = Project("oms-postgres", profiles=("demo",), STATE_DIR=folder)
        self.play(project, "--postgres")
        run(["compose/down", "--docker"], project.environment)
        self.assertEqual(project.containers("postgres"), [])
        run(["compose/up", "--docker", "--postgres", "--detach"], project.environment, timeout=BUILD_LIMIT_S)
        stock = project.omsctl("stock", "get", "EU-WEB", "MUG-GREEN").stdout
        self.assertRegex(stock, r"\b7\b")

    def test_what_ran_is_left_alone_when_another_start_fails(self):
        taken = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        port = {"GATEWAY_GRPC_PORT": str(taken.getsockname()[1])}
        project = self.enterContext(Project("oms-again", OMS_URL="", COMMERCE_URL=""))

        def up(**settings):
            return run(["compose/up", "--docker", "--detach"], project.environment | settings, check=False, timeout=BUILD_LIMIT_S)

        def running():
            return sorted(project.compose("ps", "--quiet", "inventory", "catalog", "sales", "post-sales").stdout.split())

        first = up(**port)
        self.assertEqual(first.returncode, 1, first.stdout)
        self.assertIn("and was taken down", first.stderr)
        self.assertEqual(project.compose("ps", "--all", "--quiet").stdout, "")
        started = up()
        self.assertEqual(started.returncode, 0, started.stderr)
        ran = running()
        self.assertEqual(len(ran), 4)
        unbuilt = up(CONNECTOR_IMAGE="NOT-A-NAME")
        self.assertEqual(unbuilt.returncode, 1, unbuilt.stdout)
        self.assertIn("could not be built", unbuilt.stderr)
        self.assertEqual(running(), ran)
        self.assertEqual(len(project.containers("gateway")), 1)
        again = up(**port)
        self.assertEqual(again.returncode, 1, again.stdout)
        self.assertIn("was not taken down", again.stderr)
        self.assertEqual(running(), ran)

    def test_settings_of_an_env_file_count(self):
        """As compose/.env does, which is the user's: nothing is made up for what it says, and nothing taken away."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        settings = os.path.join(folder, "settings")
        given = made_secrets(folder) | {"OMS_URL": "http://127.0.0.1:9"}
        with open(settings, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in given.items())
        state = os.path.join(folder, "state")
        project = self.enterContext(Project("oms-settings", ON_POSTGRES, STATE_DIR=state, COMPOSE_ENV_FILES=settings))
        up = run(["compose/up", "--docker", "--postgres", "--detach"], project.environment, timeout=BUILD_LIMIT_S)
        self.assertFalse(os.path.exists(os.path.join(state, "secrets")))
        self.assertNotRegex(up.stdout, r"(?m)^ *export ")
        gateway, = project.containers("gateway")
        environment = dict(each.partition("=")[::2] for each in gateway["Config"]["Env"])
        self.assertEqual(environment["OMS_URL"], given["OMS_URL"])
        catalog, = project.containers("catalog")
        self.assertIn("COMMERCE_URL=", catalog["Config"]["Env"])

    def test_several_gateways_share_what_there_is_to_do(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        ports = {f"GATEWAY_{name}_PORT": "0" for name in ("GRPC", "HTTP", "ADMIN")}  # Docker chooses
        project = Project("oms-gateways", files=ON_POSTGRES, profiles=("demo",), STATE_DIR=folder, **ports)
        self.play(project, "--postgres")
        project.environment |= {name: os.path.join(folder, "secrets", file) for name, file in SECRETS.items()}
        project.up("--scale", "gateway=2")
        self.assertEqual(len(project.containers("gateway")), 2)
        held = ["exec", "-T", "postgres", "psql", "-U", "oms", "-d", "oms", "-Atc", HELD]
        wait_until(lambda: project.compose(*held).stdout.split() == ["8", "8"], "the gateways to share the journal", timeout_s=60)
        for container in project.containers("gateway"):
            status = run(["docker", "exec", container["Id"], "omsctl", "status"]).stdout
            self.assertRegex(status, r"(?m)^gateway\s+SERVING")
        run(["docker", "kill", project.containers("gateway")[0]["Id"]])
        wait_until(lambda: project.compose(*held).stdout.split() == ["16"], "the other one to take over", timeout_s=60)

    def test_says_what_is_missing(self):
        done = run(["compose/up", "--docker"], {"PATH": "/usr/bin:/bin", "DOCKER_HOST": "unix:///nonexistent"}, check=False)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("docker", done.stderr)


if __name__ == "__main__":
    unittest.main()
