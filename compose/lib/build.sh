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

# install_to DIRECTORY: the built executables without their symbols, and beside them, where they look first, the libraries of
# Swift that they need. What else they need is the distribution's.
install_to() {
  local product library
  mkdir -p "$1"
  for product in "${PRODUCTS[@]}"; do
    strip -o "$1/$product" "$BIN/$product"
    while IFS= read -r library; do
      [ -e "$1/$(basename "$library")" ] || strip -o "$1/$(basename "$library")" "$library"
    done < <(ldd "$1/$product" | sed -n 's|.* => \(/.*/swift/.*\.so\) .*|\1|p')
  done
}
