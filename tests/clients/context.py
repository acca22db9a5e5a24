"""The table of calls, and the names in it."""

import datetime
import json
import pathlib

TABLE = json.loads((pathlib.Path(__file__).parent / "calls.json").read_text())


class Context(dict):
    """What earlier calls gave, by name."""

    def __init__(self, webhook):
        today = datetime.date.today()
        super().__init__(
            webhook=webhook,
            today=today.isoformat(),
            months_ago=(today - datetime.timedelta(days=120)).isoformat(),
        )

    def fill(self, value):
        """The value with each `$name` replaced."""
        if isinstance(value, str) and value.startswith("$"):
            return self[value[1:]]
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if isinstance(value, dict):
            return {name: self.fill(one) for name, one in value.items()}
        return value

    def keep(self, step, answer):
        for name, path in step.get("save", {}).items():
            value = answer
            for part in path.split("."):
                value = value[int(part)] if part.isdigit() else value[part]
            self[name] = value
