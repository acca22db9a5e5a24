# Everyday commands (https://just.systems). Each is a plain command that also works without just.

# Lists the commands.
default:
    @just --list

# Runs the broker with the embedded simulator and nothing configured.
run *ARGS:
    cargo run --release -- {{ARGS}}

# Runs the simulator of Plaid by itself.
simulate *ARGS:
    cargo run --release -p plaid-simulator -- {{ARGS}}

# Type-checks everything.
check:
    cargo check --workspace --all-targets

# Formats, then lints as the tests do.
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings

# Runs the Rust tests whose names contain NAME.
test NAME:
    cargo test --workspace {{NAME}}

# Runs one part of the whole test suite, or all of it: rust, browser, clients, oauth-clients, schemathesis, ship.
test-part PART="all":
    tests/run {{PART}}

# Runs the benches.
bench:
    cargo bench --workspace

# Builds the documentation of all crates.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Checks licenses, banned crates and sources of all dependencies (needs cargo-deny).
deny:
    cargo deny check licenses bans sources
