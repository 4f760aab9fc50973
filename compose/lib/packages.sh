# Installs the Debian packages that are missing.
# shellcheck shell=bash

# What building and running needs. The -dev packages bring the libraries along.
# shellcheck disable=SC2034
BUILD_PACKAGES=(
  pkg-config libnghttp2-dev libprotobuf-c-dev libsqlite3-dev libpq-dev libmicrohttpd-dev
  libcurl4-openssl-dev libssl-dev libjson-c-dev zlib1g-dev
)

# What compose/install needs besides.
# shellcheck disable=SC2034
INSTALL_PACKAGES=(binutils patchelf)

# missing_packages NAME…: those that are not installed, one a line.
missing_packages() {
  local installed
  # dpkg-query fails as soon as it has never heard of one of the names, which is what a bare machine is like.
  installed=$({ dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } | sed -n 's/^installed //p')
  comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$installed" | sort -u)
}

# need_packages NAME…: installs what is missing as root or with sudo; with neither, says the command and exits 2.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system; these packages, or what they are called here, are taken for installed: $*"
    return
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      fail 2 "Debian packages are missing. Install them with:
  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends ${missing[*]}'"
    fi
    as_root=(sudo -n)
  fi
  say "installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update >/dev/null || say "apt-get update failed; trying with the package lists that are there"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    fail 1 "apt-get could not install: ${missing[*]}"
}

need_swift() {
  command -v swift >/dev/null ||
    fail 2 "swift: not found on PATH. Install Swift 6.3 or newer (https://www.swift.org/install/linux) and try again"
}
