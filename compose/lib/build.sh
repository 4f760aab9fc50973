# Builds the executables.
# shellcheck shell=bash disable=SC2153

# shellcheck disable=SC2034
BIN=$ROOT/.build/release
PRODUCTS=(gateway catalog inventory sales post-sales omsctl)
BUILT=$ROOT/.build/compose-built # as old as the sources of the executables; holds which compiler made them

# Asking SwiftPM whether anything changed takes seconds: file times answer it at once.
built_already() {
  local product
  for product in "${PRODUCTS[@]}"; do [ -x "$BIN/$product" ] || return 1; done
  [ -f "$BUILT" ] && [ "$(cat "$BUILT")" = "$(compiler)" ] || return 1
  # Folders too: their time tells of a file that has gone.
  [ -z "$(find "$ROOT/Package.swift" "$ROOT/Services" "$ROOT/Shared" -newer "$BUILT" -print -quit)" ]
}

compiler() { readlink -f "$(command -v swift)"; }

# build_release: all products, in release; at once when nothing has changed.
build_release() {
  if built_already; then return 0; fi
  need_swift
  say "building (the first time takes some minutes)"
  mkdir -p "$ROOT/.build"
  local product began=$BUILT.new
  compiler >"$began"
  for product in "${PRODUCTS[@]}"; do
    swift build --package-path "$ROOT" -c release --product "$product" || fail 1 "swift build of $product failed"
  done
  mv "$began" "$BUILT"
}

# install_to DIRECTORY: the built executables, and beside them, where alone they look, the libraries of Swift that they need. What
# else they need is the distribution's. Whatever the umask, everybody may run them.
install_to() {
  local libraries library product
  libraries=$(ldd "${PRODUCTS[@]/#/$BIN/}" | sed -n 's|.* => \(/.*/swift/.*\.so\) .*|\1|p' | sort -u)
  mkdir -p -m 0755 "$1"
  for library in $libraries; do install_file "$library" "$1"; done
  # As built they look where the compiler has its libraries first.
  for product in "${PRODUCTS[@]}"; do install_file "$BIN/$product" "$1" patchelf --set-rpath "\$ORIGIN"; done
}

# install_file FILE DIRECTORY [COMMAND…]: without its symbols, and as COMMAND has changed it, in place of one that is there.
install_file() {
  local made
  made=$2/.$(basename "$1").new
  strip -o "$made" "$1"
  [ $# = 2 ] || "${@:3}" "$made"
  chmod 0755 "$made"
  # What runs can't be written to, but another file can take its name.
  mv -f "$made" "$2/$(basename "$1")"
}
