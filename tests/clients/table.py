"""The table in docs/simulator.md of what was tried on each path, made of the suites' own reports.

    table.py            checks the table; exit code 1 when it says something else than the last run
    table.py --write    writes it
"""

import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
DOCUMENT = ROOT / "docs" / "simulator.md"
BEGIN = "<!-- made by tests/clients/table.py: begin -->"
END = "<!-- made by tests/clients/table.py: end -->"


def version(library):
    """The versions that the lock files name."""
    here = pathlib.Path(__file__).parent
    if library == "plaid":
        lock = json.loads((here / "package-lock.json").read_text())
        return lock["packages"]["node_modules/plaid"]["version"]
    lines = (here / "requirements.txt").read_text().splitlines()
    return next(line.split("==")[1] for line in lines if line.startswith(library + "=="))


def table():
    python = json.loads((TARGET / "clients-python.json").read_text())
    node = json.loads((TARGET / "clients-node.json").read_text())
    lines = [
        "",
        f"Python: `plaid-python` {version('plaid-python')}. Node.js: `plaid` {version('plaid')}.",
        "",
        "| path | fields checked | missing | mistyped | unknown | errors seen | libraries |",
        "|---|---|---|---|---|---|---|",
    ]
    totals = [0, 0, 0, 0]
    for path, one in sorted(python.items()):
        cases = one["cases"]
        counts = [one["fields"], cases["missing"], cases["mistyped"], cases["unknown"]]
        totals = [total + count for total, count in zip(totals, counts)]
        fields = str(counts[0])
        if one["not_looked_into"]:
            fields += " (not inside " + ", ".join(f"`{name}`" for name in sorted(one["not_looked_into"])) + ")"
        errors = ", ".join(f"`{code}`" for code in one["errors"])
        libraries = [name for name, report in (("Python", python), ("Node.js", node)) if report.get(path, {}).get("answers")]
        more = "; refused: `" + one["refused"] + "`" if "refused" in one else ""
        lines.append(
            f"| `{path}` | {fields} | {counts[1]} | {counts[2]} | {counts[3]} | {errors}{more} | {', '.join(libraries)} |"
        )
    lines.append(f"| all {len(python)} | {' | '.join(str(total) for total in totals)} | | |")
    return "\n".join([BEGIN, *lines, "", END])


def main():
    text = DOCUMENT.read_text()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    made = table()
    if sys.argv[1:] == ["--write"]:
        DOCUMENT.write_text(text[:begin] + made + text[end:])
        print("table: written")
        return 0
    if text[begin:end] != made:
        print("table: docs/simulator.md does not match this run; update it with tests/clients/table.py --write")
        return 1
    print("table: docs/simulator.md matches this run")
    print("1 passed, 0 failed, 0 skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
