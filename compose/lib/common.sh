# Sourced by every script of this folder and by Tests/run.
# shellcheck shell=bash

# The project's folder, whatever the caller's is.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

say() { printf '%s\n' "$*"; }

# fail STATUS MESSAGE: 1 for what went wrong, 2 for what the caller has to change.
fail() {
  local status=$1
  shift
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit "$status"
}
