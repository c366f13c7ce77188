#!/bin/sh
# Runs before every npm script, under the machine's own Node: installs the packages of package-lock.json, Node 24 among
# them, when they are not there already.
set -eu
cd "$(dirname "$0")/../.."
stamp=node_modules/.canto-installed
if [ -x node_modules/.bin/node ] && cmp -s package-lock.json "$stamp"; then
  exit 0
fi

log=$(mktemp "${TMPDIR:-/tmp}/canto-install.XXXXXX")
trap 'rm -f "$log"' EXIT
echo 'Installing packages: the first time, or because package-lock.json changed'

fail() {
  # What npm said comes first, so that the last line on the screen is the one to act on.
  grep -v '^npm warn' "$log" | head -n 20 >&2 || true
  if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET|network' "$log"; then
    echo "Cannot reach the npm registry ($(npm config get registry)): check the network or the proxy, then run this again" >&2
  elif grep -qE 'EACCES|EPERM|EROFS' "$log"; then
    echo "Cannot write to $(pwd)/node_modules: make it yours (it may have been installed by another user), then run this again" >&2
  elif grep -q 'ENOSPC' "$log"; then
    echo 'The disk is full: make room, then run this again' >&2
  else
    echo 'The packages could not be installed: npm says why above' >&2
  fi
  exit 1
}

# Without install scripts: better-sqlite3 carries its binaries, but npm would compile it all the same. Only `node` has
# one to run: it puts the binary in place.
npm ci --ignore-scripts --no-progress --loglevel=error >"$log" 2>&1 || fail
npm rebuild node --no-progress --loglevel=error >"$log" 2>&1 || fail
[ -x node_modules/.bin/node ] || { echo "npm brought no Node 24 for this machine ($(uname -sm))" >"$log"; fail; }
cp package-lock.json "$stamp"
