#!/usr/bin/env bash
# Measures what the program promises of its size, on a release build, and fails when a promise is broken:
#
#   ready      process start to the first page, median of 9 starts      under 1 s
#   memory     peak resident memory after 50 flows and 2000 pages       under 30 MB (30,000 kB)
#   assets     the Link page's own CSS, JavaScript and icon, gzip       under 30 kB (30,000 bytes)
#
#   benches/footprint.sh [PROGRAM]     default: target/release/plaid-token-broker, built when it is missing
#
# Needs bash, curl, sed, awk and (where bash is older than 5) perl. It is served by the built-in simulator, which
# lives in the same process and counts in the memory. Exit code 0: kept, 1: broken, 2: something is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in curl sed awk; do
    command -v "$tool" >/dev/null || { echo "footprint: $tool is missing" >&2 && exit 2; }
done
program=${1:-${CARGO_TARGET_DIR:-target}/release/plaid-token-broker}
[ -n "${1:-}" ] || [ -x "$program" ] || cargo build --release --locked
[ -x "$program" ] || { echo "footprint: $program is not there" >&2 && exit 2; }
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")

work=$(mktemp -d)
pid=
# shellcheck disable=SC2317 # the trap calls it
finish() {
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

# Microseconds of some clock.
now() {
    if [ -n "${EPOCHREALTIME:-}" ]; then
        echo "${EPOCHREALTIME/[.,]/}"
    else
        perl -MTime::HiRes=time -e 'printf "%d\n", time * 1e6'
    fi
}

# Starts the program in a directory that holds nothing; sets pid, url and simulator.
start() {
    local directory=$1 line
    mkdir -p "$directory"
    mkfifo "$directory/out"
    (
        cd "$directory"
        exec env -i BROKER_RATE_LIMIT=off APP_PORT=0 BROKER_OPS_BIND=127.0.0.1:0 BROKER_SIMULATOR_BIND=127.0.0.1:0 RUST_LOG=warn \
            "$program" >out 2>log
    ) &
    pid=$!
    exec 3<"$directory/out"
    url='' simulator=''
    while read -r line <&3; do
        case $line in
        "listening on "*) url=${line#listening on } ;;
        "simulator listening on "*) simulator=${line#simulator listening on } ;;
        "operations listening on "*) break ;;
        esac
    done
    [ -n "$url" ] || { cat "$directory/log" >&2 && echo "footprint: it did not start" >&2 && exit 2; }
}

stop() {
    kill "$pid"
    wait "$pid" || true
    exec 3<&-
    pid=
}

fetch() { curl --silent --show-error --fail --max-time 30 "$@"; }

# --- ready ----------------------------------------------------------------------------------------------------
times=()
for i in 1 2 3 4 5 6 7 8 9; do
    began=$(now)
    start "$work/ready-$i"
    fetch --output /dev/null "$url/"
    times+=("$(($(now) - began))")
    stop
done
ready_us=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 5p)

# --- assets ---------------------------------------------------------------------------------------------------
start "$work/use"
fetch "$url/" >"$work/page"
assets_bytes=0
names=()
while read -r path; do
    size=$(fetch --output "$work/asset" --header 'Accept-Encoding: gzip' --write-out '%{size_download}' "$url/${path#./}")
    assets_bytes=$((assets_bytes + size))
    names+=("${path##*/} $size")
done < <(sed -nE 's/.*(href|src)="(\.\/static\/[^"]*)".*/\2/p' "$work/page" | sort -u)
[ ${#names[@]} -ge 3 ] || { echo "footprint: the page names no assets" >&2 && exit 2; }

# --- memory ---------------------------------------------------------------------------------------------------
client_id=5a11ced0c0ffee0000000001 # the simulator's own keys, which are public
secret=51a11a7ed5ec4e7000000000000001
json='Content-Type: application/json'
for i in $(seq 50); do
    jar=$work/cookies-$i
    handle=$(fetch --cookie-jar "$jar" "$url/?state=s&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2F" | sed -n 's/.*data-handle="\([^"]*\)".*/\1/p')
    public_token=$(fetch --header "$json" "$simulator/sandbox/public_token/create" --data \
        "{\"client_id\":\"$client_id\",\"secret\":\"$secret\",\"institution_id\":\"ins_109508\",\"initial_products\":[\"auth\"]}" |
        sed -n 's/.*"public_token":"\([^"]*\)".*/\1/p')
    code=$(fetch --cookie "$jar" --header "$json" --header "X-Broker-Handle: $handle" "$url/api/set_access_token" \
        --data "{\"public_token\":\"$public_token\"}" | sed -n 's/.*[?&]code=\([^&"]*\).*/\1/p')
    refresh_token=$(fetch "$url/oauth/token" --data-urlencode "code=$code" |
        sed -n 's/.*"refresh_token":"\([^"]*\)".*/\1/p')
    fetch --output /dev/null "$url/oauth/token" --data-urlencode "refresh_token=$refresh_token"
done
fetch --output /dev/null "$url/?page=[1-2000]"
if [ -r "/proc/$pid/status" ]; then
    memory_kb=$(awk '/^VmHWM:/ { print $2 }' "/proc/$pid/status")
else
    # Without /proc: what is resident now, which is at most a little below the peak.
    memory_kb=$(ps -o rss= -p "$pid" | tr -d ' ')
fi
stop

# --- the figures ----------------------------------------------------------------------------------------------
broken=0
judge() {
    local name=$1 figure=$2 limit=$3 unit=$4 verdict=kept
    [ "$figure" -lt "$limit" ] || { verdict=BROKEN && broken=1; }
    printf '%-8s %8d of %8d %-5s %s\n' "$name" "$figure" "$limit" "$unit" "$verdict"
}
judge ready "$((ready_us / 1000))" 1000 ms
judge memory "$memory_kb" 30000 kB
judge assets "$assets_bytes" 30000 bytes
printf '         %s\n' "${names[@]}"
exit "$broken"
