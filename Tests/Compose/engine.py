"""Docker Compose as a user calls it: a project of the tests' own, from the project's files."""

import json
import os
import secrets
import subprocess

from stack import ROOT, clean_environment, free_address
from waiting import wait_until

FILES = ("compose/compose.yaml",)
ON_POSTGRES = ("compose/compose.yaml", "compose/compose.postgres.yaml")
IN_PRODUCTION = (*ON_POSTGRES, "compose/compose.production.yaml")
BUILD_LIMIT_S = 2400
LIMIT_S = 300
BASE = "debian:bookworm-slim"
IMAGES = {"CONNECTOR_IMAGE": "oms-connector", "SIMULATORS_IMAGE": "oms-connector-simulators"}


class Project:
    """A stack in containers, taken down with its volumes at the end."""

    def __init__(self, name, files=FILES, profiles=(), **settings):
        self.name, self.files, self.profiles = name, files, profiles
        ports = {f"GATEWAY_{port}_PORT": free_address().rpartition(":")[2] for port in ("GRPC", "HTTP", "ADMIN")}
        self.grpc = f"127.0.0.1:{ports['GATEWAY_GRPC_PORT']}"
        self.environment = clean_environment() | ports | {"COMPOSE_PROJECT_NAME": name} | settings

    def __enter__(self):
        self.remove()
        return self

    def __exit__(self, *failure):
        if failure[0] is not None:
            print(self.compose("logs", "--tail", "60", "--no-color", check=False).stdout[-12000:])
        self.remove()

    def remove(self):
        """All that is there of the project, whatever files it was started with: also what a run that was killed has left."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)
        for kind, force in (("container", ("--force",)), ("volume", ("--force",)), ("network", ())):
            of_project = ["--quiet", "--filter", f"label=com.docker.compose.project={self.name}"]
            if names := run(["docker", kind, "ls", *(["--all"] if kind == "container" else []), *of_project]).stdout.split():
                run(["docker", kind, "rm", *force, *names])

    def compose(self, *arguments, check=True, timeout=LIMIT_S):
        command = ["docker", "compose", *(word for file in self.files for word in ("-f", file)),
                   *(word for profile in self.profiles for word in ("--profile", profile)), *arguments]
        return run(command, self.environment, check, timeout)

    def up(self, *arguments):
        """What the README says, and back when everything is healthy."""
        return self.compose("up", "--build", "--detach", "--wait", *arguments, timeout=BUILD_LIMIT_S)

    def containers(self, service):
        """[docker inspect's] of a service's running containers."""
        ids = self.compose("ps", "--quiet", service).stdout.split()
        return json.loads(run(["docker", "inspect", *ids]).stdout) if ids else []

    def omsctl(self, *arguments, check=True):
        return self.compose("exec", "-T", "gateway", "omsctl", *arguments, check=check)

    def wait_until_healthy(self, service, count):
        def healthy():
            states = [each["State"].get("Health", {}).get("Status") for each in self.containers(service)]
            return states == ["healthy"] * count

        wait_until(healthy, f"{count} healthy containers of {service}", timeout_s=60)


def run(command, environment=None, check=True, timeout=LIMIT_S):
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
    return done


def made_secrets(folder):
    """Settings that say where the password of PostgreSQL is, and the address with it. Another user reads them."""
    password = secrets.token_hex(12)
    files = {"POSTGRES_PASSWORD_FILE": password, "DATABASE_URL_FILE": f"postgresql://oms:{password}@postgres/oms"}
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(file.name, 0o644)
    return {name: os.path.join(folder, name) for name in files}


def configuration(files=FILES, **settings):
    """What Docker Compose makes of the files, as it would run them with the demo. No engine is asked."""
    named = (word for file in files for word in ("-f", file))
    done = run(["docker", "compose", *named, "--profile", "demo", "config", "--format", "json"], clean_environment() | settings)
    return json.loads(done.stdout)


def size(image):
    """Bytes, as `docker images` counts."""
    return int(run(["docker", "image", "inspect", "--format", "{{.Size}}", image]).stdout)


def size_of_package(image, package):
    """Bytes of a Debian package's files in an image; 0 when it does not have it."""
    each = 'while read -r path; do if [ -f "$path" ] && [ ! -L "$path" ]; then stat -c %s "$path"; fi; done'
    done = run(["docker", "run", "--rm", "--network", "none", image, "sh", "-c", f"dpkg -L {package} 2>/dev/null | {each}"])
    return sum(int(line) for line in done.stdout.split())
