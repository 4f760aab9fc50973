"""Runs compilers."""

import subprocess

BUILD_LIMIT_S = 900


def build(what, command):
    """What the command says. AssertionError with it when the command fails or warns."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=BUILD_LIMIT_S)
    if done.returncode != 0 or "warning:" in done.stdout:
        raise AssertionError(f"building {what} ended with status {done.returncode}: {' '.join(command)}\n{done.stdout[-8000:]}")
    return done.stdout
