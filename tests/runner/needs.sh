# Finds what the tests need on this machine, and installs it with apt-get where that is possible. tests/run sources this
# file; `output` is the directory of the logs, `target` the directory that is kept between runs.
# shellcheck shell=bash

there() {
    local command
    for command; do
        command -v "$command" >/dev/null 2>&1 && return
    done
    return 1
}

there_all() {
    local command
    for command; do
        command -v "$command" >/dev/null 2>&1 || return 1
    done
}

# apt_install PACKAGE…: false where that is not possible.
apt_install() {
    local as_root=()
    there apt-get || return 1
    if [ "$(id -u)" != 0 ]; then
        there sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; } || return 1
        as_root=(sudo)
    fi
    step "installing $*"
    "${as_root[@]+"${as_root[@]}"}" apt-get update >>"$output/apt.log" 2>&1
    "${as_root[@]+"${as_root[@]}"}" apt-get install -y --no-install-recommends "$@" >>"$output/apt.log" 2>&1
}

# need NAME PACKAGES COMMAND…: one of the commands is there, or becomes so by installing the packages.
need() {
    local name=$1 packages=$2
    shift 2
    there "$@" && return
    # shellcheck disable=SC2086 # several packages
    if apt_install $packages && there "$@"; then
        return
    fi
    [ ! -f "$output/apt.log" ] || tail -n 5 "$output/apt.log" >&2
    echo "tests/run: $name is missing. Please install it (Debian, Ubuntu: apt-get install $packages)." >&2
    exit 2
}

# fetch PACKAGE PROGRAM: one program of a Debian package, into $target/PACKAGE. The package itself, installed, would start a
# service.
fetch() {
    local package=$1 program=$2 directory=$target/$1
    there apt-get && there dpkg-deb || return 1
    step "fetching ${program##*/}"
    rm -rf "$directory"
    mkdir -p "$directory"
    (
        cd "$directory"
        apt-get download "$package" || { apt-get update && apt-get download "$package"; }
        dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x "./$program"
        rm "$package"_*.deb
    ) >>"$output/apt.log" 2>&1
}

# PostgreSQL for the tests: what is there, else Debian's packages with all they need, unpacked and not installed, as they would
# start a service too. In $target, or elsewhere when its user may not go there (whose turn it is in tests/postgres/cluster).
postgres=
postgres_place() {
    local user=nobody
    postgres=$target/postgres
    [ "$(id -u)" = 0 ] || return 0
    ! id postgres >/dev/null 2>&1 || user=postgres
    setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups test -x "$target" && return
    postgres=$(mktemp -d "${TMPDIR:-/tmp}/ptb-postgres.XXXXXX")
    chmod 0755 "$postgres"
}

fetch_postgres() {
    local directory=$postgres/packages package try
    there apt-get && there dpkg-deb || return 1
    step "fetching PostgreSQL"
    rm -rf "$directory"
    mkdir -p "$directory/partial" "$postgres/server"
    for try in without with; do
        [ "$try" = without ] || apt-get update || return 1
        apt-get install -y --no-install-recommends --download-only -o Debug::NoLocking=1 \
            -o Dir::Cache::archives="$directory" postgresql && break
    done >>"$output/apt.log" 2>&1
    for package in "$directory"/*.deb; do
        dpkg-deb -x "$package" "$postgres/server" >>"$output/apt.log" 2>&1 || return 1
    done
    rm -rf "$directory"
}

# start_postgres: exports its URL for the tests, and where it is for those that start one of their own.
start_postgres() {
    local status=0
    postgres_place
    # What a run that was killed has left behind.
    tests/postgres/cluster remove "$postgres/cluster" 2>/dev/null || true
    TEST_POSTGRES_URL=$(tests/postgres/cluster start "$postgres/cluster") || status=$?
    if [ "$status" = 3 ]; then
        POSTGRES_BIN=$(find "$postgres/server/usr/lib/postgresql" -name bin 2>/dev/null || true)
        if [ -z "$POSTGRES_BIN" ]; then
            fetch_postgres || true
            POSTGRES_BIN=$(find "$postgres/server/usr/lib/postgresql" -name bin 2>/dev/null || true)
        fi
        if [ -z "$POSTGRES_BIN" ]; then
            echo "tests/run: PostgreSQL is missing. Please install it (Debian, Ubuntu: apt-get install postgresql)." >&2
            exit 2
        fi
        export POSTGRES_BIN
        TEST_POSTGRES_URL=$(tests/postgres/cluster start "$postgres/cluster")
    elif [ "$status" != 0 ]; then
        exit 1
    fi
    export TEST_POSTGRES_URL
}

stop_postgres() {
    [ -n "$postgres" ] || return 0
    tests/postgres/cluster remove "$postgres/cluster" || true
    case $postgres in
    */ptb-postgres.*) rm -rf "$postgres" ;;
    esac
    postgres=
}

# need_all: everything that the parts that were asked for need. Exit code 2 where something is missing.
need_all() {
    if ! there cargo; then
        echo "tests/run: cargo is missing. Please install Rust from https://rustup.rs" >&2
        exit 2
    fi
    need "a C compiler" "gcc libc6-dev" cc gcc clang

    if asked rust; then
        PROMTOOL=${PROMTOOL:-$(command -v promtool || echo "$target/prometheus/usr/bin/promtool")}
        if [ -x "$PROMTOOL" ] || fetch prometheus usr/bin/promtool; then
            export PROMTOOL
        else
            unset PROMTOOL
            skip promtool "it is missing. Please install Prometheus, or set PROMTOOL to the path of its promtool."
        fi
        # A terminal for the commands that need one.
        need "util-linux's script" "bsdutils" script
        start_postgres
    fi
    if asked browser || asked clients || asked oauth-clients || ships; then
        need "Node.js" "nodejs npm" node
        need "npm" "npm" npm
        if [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 18')" != true ]; then
            echo "tests/run: Node.js $(node --version) is too old; 18 or later is needed." >&2
            exit 2
        fi
    fi
    if asked schemathesis || ships; then
        need "curl" "curl" curl
    fi
    if ships; then
        need "strace" "strace" strace
        need "systemd-analyze" "systemd" systemd-analyze
        if ! there caddy; then
            [ -x "$target/caddy/usr/bin/caddy" ] || fetch caddy usr/bin/caddy ||
                { echo "tests/run: Caddy is missing. Please install it: https://caddyserver.com/docs/install" >&2 && exit 2; }
            PATH=$PATH:$target/caddy/usr/bin
        fi
        # For the image, which takes root: tests/ship/image says so where it cannot be built.
        if [ "$(id -u)" = 0 ] && ! there_all podman runc mmdebstrap iptables ip; then
            apt_install podman runc mmdebstrap netavark aardvark-dns iptables iproute2 debian-archive-keyring || true
        fi
    fi
    if asked clients || asked oauth-clients || asked schemathesis || ships; then
        need "Python 3" "python3 python3-venv" python3
        # Debian has the part of Python that makes environments in a package of its own.
        if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
            apt_install python3-venv || true
        fi
        if ! python3 -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "tests/run: Python 3.11 or later with venv is missing. Please install it (Debian, Ubuntu: apt-get install python3-venv)." >&2
            exit 2
        fi
    fi
    if asked browser; then
        chrome="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
        if [ -z "${CHROMIUM_BIN:-}" ]; then
            if [ -x "$chrome" ]; then
                CHROMIUM_BIN=$chrome
            else
                need "Chromium" "chromium" chromium chromium-browser google-chrome
                CHROMIUM_BIN=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
            fi
        fi
        export CHROMIUM_BIN
    fi
}
