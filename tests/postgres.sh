#!/usr/bin/env bash
# Runs a command beside a PostgreSQL of its own, which lives in a temporary folder on a free loopback port and ends
# with the command:
#
#     tests/postgres.sh pytest tests/bot/store
#
# The command finds its address in TEST_POSTGRES_URL. Debian's package `postgresql` is all that is needed.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: tests/postgres.sh COMMAND..." >&2; exit 2; }
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || true)")
[ -x "$bin/initdb" ] || { echo "tests/postgres.sh: no PostgreSQL server here: apt-get install postgresql" >&2; exit 1; }

folder=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    chown postgres "$folder"
    as=(runuser -u postgres --)
fi
stop() {
    (cd / && "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -s stop) || true
    rm -rf "$folder"
}
trap stop EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd_back=$PWD
cd / # the folder we stand in may not be postgres's to enter
"${as[@]}" "$bin/initdb" -D "$folder/data" -U whatsit -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder.log" 2>&1 ||
    { cat "$folder.log" >&2; rm -f "$folder.log"; exit 1; }
rm -f "$folder.log"
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -s start -o \
    "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder -c fsync=off -c max_connections=200" ||
    { cat "$folder/log" >&2; exit 1; }
cd "$cd_back"

export TEST_POSTGRES_URL="postgresql://whatsit@127.0.0.1:$port/postgres"
"$@"
