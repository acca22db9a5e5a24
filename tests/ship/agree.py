"""What has to agree between the files that the broker is shipped with, and with the program: agree.py BROKER"""

import pathlib
import re
import subprocess
import sys

from ruamel.yaml import YAML

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = "plaid-token-broker"
DOCUMENTS = ["README.md", "SECURITY.md", "compose.yaml", "compose.postgres.yaml", "docs/deploy/*", "docs/*.md"]
# The program where a command may begin, and its arguments up to whatever a shell does with it next.
COMMAND = (
    r"(?:^|`|&& |\| |\$\(|sudo |exec broker |-u plaid-token-broker )"
    r"plaid-token-broker((?: +[^\s`|;&<>()\"'\\]+)+)"
)
problems = []


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def found(pattern, path):
    """The one thing that the pattern finds in a file."""
    match = re.search(pattern, read(path), re.MULTILINE)
    if match is None:
        problems.append(f"{path}: nothing like {pattern}")
        return ""
    return match.group(1)


def agree(what, condition):
    if not condition:
        problems.append(what)


def versions():
    version = found(r'^version = "(.+)"', "Cargo.toml")
    agree("Dockerfile: ARG VERSION is not Cargo.toml's", found(r"^ARG VERSION=(.+)", "Dockerfile") == version)
    agree(f"CHANGELOG.md: nothing about {version}", f"## [{version}]" in read("CHANGELOG.md"))
    image = found(r"^ARG RUST_IMAGE=.*rust:([0-9.]+)-", "Dockerfile")
    toolchain = found(r"rustup toolchain install ([0-9.]+)", ".github/workflows/release.yml")
    agree("Dockerfile and release.yml: not the same Rust", image == toolchain)
    oldest = found(r'^rust-version = "(.+)"', "Cargo.toml")
    numbers = lambda text: [int(part) for part in text.split(".")]
    agree("Dockerfile: a Rust older than Cargo.toml's", image and numbers(image) >= numbers(oldest))


def times():
    """Whoever stops the broker has to wait longer than it may take: requests in flight, then the store."""
    drain = int(found(r"DRAIN: Duration = Duration::from_secs\((\d+)\)", "src/server.rs") or 0)
    close = int(found(r"CLOSE: Duration = Duration::from_secs\((\d+)\)", "src/server.rs") or 0)
    unit = int(found(r"^TimeoutStopSec=(\d+)$", "docs/deploy/plaid-token-broker.service") or 0)
    agree("the unit's TimeoutStopSec is too short", unit > drain + close)
    broker = YAML(typ="safe").load(read("compose.yaml"))["services"]["broker"]
    grace = int(broker["stop_grace_period"].removesuffix("s"))
    agree("compose.yaml: stop_grace_period is too short", grace >= drain + close)
    agree("compose.yaml: the broker is published past Caddy", "ports" not in broker)


def commands(broker):
    """Every command of ours that a document shows, with its options, is one that the program has."""
    known = {}

    def help_of(words):
        if words not in known:
            run = subprocess.run([broker, *words, "--help"], capture_output=True, text=True, check=False)
            known[words] = run.stdout if run.returncode == 0 else None
        return known[words]

    seen = set()
    paths = [path for pattern in DOCUMENTS for path in ROOT.glob(pattern) if path.is_file()]
    for path in paths:
        # Of a text, its code alone.
        text = path.read_text(encoding="utf-8")
        code = text if path.suffix != ".md" else "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
        for arguments in re.findall(COMMAND, code, re.MULTILINE):
            words, options = (), []
            for argument in arguments.split():
                if argument.startswith("-"):
                    options.append(argument.split("=")[0])
                elif options or not re.fullmatch(r"[a-z][a-z-]*", argument) or "\nCommands:\n" not in (help_of(words) or ""):
                    # An argument, or the value of an option.
                    continue
                elif help_of((*words, argument)) is None:
                    agree(f"{path.relative_to(ROOT)}: there is no command {PROGRAM} {' '.join((*words, argument))}", False)
                    break
                else:
                    words = (*words, argument)
            for option in options:
                known_here = re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help_of(words) or "")
                agree(f"{path.relative_to(ROOT)}: {PROGRAM} {' '.join(words)} has no {option}", known_here)
            seen.add(words)
    agree("no documented command was found", len(seen) > 3)
    return len(seen)


versions()
times()
count = commands(sys.argv[1])
for problem in problems:
    print(problem)
print(f"agree: {count} documented commands, {len(problems)} problems")
sys.exit(bool(problems))
