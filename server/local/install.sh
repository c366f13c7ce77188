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

# Without install scripts: better-sqlite3 carries its binaries, but npm would compile it all the same. Node is an optional
# package for each platform, so that its binary is checked against package-lock.json like everything else.
npm ci --ignore-scripts --no-progress --loglevel=error >"$log" 2>&1 || fail
mkdir -p node_modules/.bin
# COMPAT(npm 10): removes the link of the package that is there, with those of the other platforms' packages.
for own in node_modules/node-*/bin/node; do
  [ ! -x "$own" ] || ln -sf "../${own#node_modules/}" node_modules/.bin/node
done
if [ ! -x node_modules/.bin/node ]; then
  # There is no package for this platform (Apple silicon): the machine's own Node will do if it is new enough.
  own=$(node -p 'parseInt(process.versions.node) >= 24 ? process.execPath : ""')
  if [ -z "$own" ]; then
    echo "npm brought no Node 24 for this machine ($(uname -sm)), or not the one that package-lock.json names: install Node 24 or newer, then run this again" >&2
    exit 1
  fi
  ln -sf "$own" node_modules/.bin/node
fi
cp package-lock.json "$stamp"
