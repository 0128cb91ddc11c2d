# Sourced by the other scripts and by the Makefile's recipes: puts the Swift toolchain on PATH, or says how to get one, and
# names in `build_tmp` a folder for the compiler's temporary files.
# shellcheck shell=bash

if ! command -v swift >/dev/null 2>&1; then
  for directory in /opt/swift/usr/bin "${SWIFTLY_BIN_DIR:-${HOME:-/nonexistent}/.local/share/swiftly/bin}"; do
    if [ -x "$directory/swift" ]; then
      PATH="$directory:$PATH"
      export PATH
      break
    fi
  done
fi

if ! command -v swift >/dev/null 2>&1; then
  cat >&2 <<'MESSAGE'
kauri: there is no Swift toolchain on this machine.
It needs Swift 6.2 or newer, with `swift` on PATH (or in /opt/swift/usr/bin).
See https://www.swift.org/install/linux/ for how to install one, then run this again.
MESSAGE
  exit 1
fi

# The compiler writes what macros expand to into one folder under TMPDIR. Where that is another account's, because root has
# built something on this machine before, Swift 6.3 writes it into the working folder instead, under names of random
# bytes. So every account has a folder of its own.
build_tmp="${TMPDIR:-/tmp}/kauri-build-$(id -u)"
mkdir -p -m 700 "$build_tmp" 2>/dev/null || true
if [ ! -O "$build_tmp" ] || [ ! -w "$build_tmp" ]; then
  build_tmp=$(mktemp -d)
fi
export build_tmp
