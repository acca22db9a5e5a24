"""Plaid's own library for Python (plaid-python, unmodified but for the base URL) calls every path of the simulator.

Each call of calls.json is made as its users make it, with the library's checks of types on, in requests and in
answers. Before that, the same call is made with each required field missing, each field of another type, each
word outside of its list, and one field too many, at every depth. Which fields there are is the library's word.

    suite.py REPORT    writes what was tried, as JSON, for docs/simulator.md
"""

import json
import sys
import time

import plaid
from plaid.model_utils import OpenApiModel

from context import TABLE, Context
from known import OPEN, SAMPLES, SETTINGS, UNDECLARED
from models import client, fields_of, method, request, request_model, undeclared
from simulator import CLIENT_ID, SECRET, Receiver, Simulator

failures = []


def fail(text):
    failures.append(text)
    print("FAILED", text)


def refusal(api, path, body):
    """The error that the simulator answers to a body that the library itself would not send."""
    try:
        api.api_client.call_api(
            path,
            "POST",
            header_params={"Content-Type": "application/json", "Accept": "application/json"},
            body=body,
            auth_settings=["clientId", "secret", "plaidVersion"],
            _check_type=False,
            _return_http_data_only=True,
        )
    except plaid.ApiException as error:
        return error.status, json.loads(error.body)
    return 200, {}


class Mutations:
    """One path's call with one thing wrong at a time."""

    def __init__(self, api, path, body):
        self.api, self.path, self.body = api, path, body
        self.counts = {"missing": 0, "mistyped": 0, "unknown": 0}
        self.fields = 0
        self.skipped = []
        self.errors = set()

    def all(self):
        self.one_too_many([], "")
        self.level(fields_of(request_model(self.api, self.path)), [], "")
        self.unknown_keys()

    def level(self, fields, at, prefix):
        for field in fields:
            name = prefix + field.name
            self.fields += 1
            where = [*at, field.name]
            if field.required:
                self.expect("missing", "MISSING_FIELDS", name, self.changed(where, None, remove=True, fields=fields))
            if field.any:
                continue
            wrong = field.mistyped()
            self.expect("mistyped", "INVALID_FIELD", name, self.changed(where, wrong))
            if field.is_list and not field.fields:
                wrong = [{} if field.type is str else "not of this type"]
                self.expect("mistyped", "INVALID_FIELD", name, self.changed(where, wrong))
            if field.words and len(field.words) > 1:
                word = ["NO_SUCH_WORD"] if field.is_list else "NO_SUCH_WORD"
                codes = ("INVALID_FIELD", "INVALID_PRODUCT")
                self.expect("mistyped", codes, name, self.changed(where, word))
            if f"{self.path} {name}" in OPEN:
                self.open(where, name)
            elif field.fields:
                inner = [*where, 0] if field.is_list else where
                present = self.changed(inner, None, keep=True, sample=field.sample(SAMPLES, f"{self.path} {name}"))
                deeper = Mutations(self.api, self.path, present)
                deeper.one_too_many(inner, name + ".")
                deeper.level(field.fields, inner, name + ".")
                for kind, count in deeper.counts.items():
                    self.counts[kind] += count
                self.fields += deeper.fields
                self.skipped += deeper.skipped
                self.errors |= deeper.errors

    def open(self, where, name):
        """An object that is said not to be looked into is not: otherwise it has to leave the list."""
        status, error = refusal(self.api, self.path, self.changed([*where, "no_such_field"], 1))
        if status != 200:
            fail(f"{self.path}: {name} is looked into ({error.get('error_code')}): take it out of known.py")
        self.skipped.append(name)

    def one_too_many(self, at, prefix):
        self.expect("unknown", "UNKNOWN_FIELDS", prefix + "no_such_field", self.changed([*at, "no_such_field"], 1))

    def unknown_keys(self):
        """The keys are checked like fields."""
        for key in ("client_id", "secret"):
            self.expect("mistyped", "INVALID_FIELD", key, {**self.body, key: 12345})

    def changed(self, where, value, remove=False, keep=False, sample=None, fields=None):
        """A copy of the body with one place changed; objects on the way are made where they are absent."""
        body = json.loads(json.dumps(self.body))
        place = body
        for step, following in zip(where, where[1:]):
            if isinstance(place, dict) and step not in place:
                place[step] = [{}] if following == 0 else {}
            place = place[step]
        last = where[-1]
        if keep:
            if isinstance(place, list):
                place[0] = place[0] or (sample[0] if isinstance(sample, list) else sample)
            else:
                place.setdefault(last, sample)
        elif remove:
            place.pop(last, None)
        else:
            place[last] = value
        return body

    def expect(self, kind, codes, name, body):
        codes = (codes,) if isinstance(codes, str) else codes
        if self.path == "/link/token/create" and "." in name and name.split(".")[0] in SETTINGS:
            codes = ("INVALID_CONFIGURATION",)
        elif self.path == "/link/token/create" and name in SETTINGS and kind == "mistyped":
            codes = ("INVALID_CONFIGURATION",)
        status, error = refusal(self.api, self.path, body)
        self.counts[kind] += 1
        got = error.get("error_code")
        if status != 400 or got not in codes or error.get("error_type") not in ("INVALID_REQUEST", "INVALID_INPUT"):
            fail(f"{self.path}: {name} {kind}: {status} {got} ({error.get('error_message')}) and not {' or '.join(codes)}")
        else:
            self.errors.add(got)


def answer(api, step, body):
    """The call as the library's users make it: types of request and answer checked."""
    path = step["path"]
    typed = request(api, path, body)
    for _ in range(100):
        try:
            return getattr(api, method(path))(typed)
        except plaid.ApiException as error:
            code = json.loads(error.body).get("error_code")
            if code != step.get("wait"):
                raise
            time.sleep(0.1)
    raise AssertionError(f"{path} is not ready after ten seconds")


def call(api, step, body, report):
    path = step["path"]
    try:
        given = answer(api, step, body)
    except plaid.ApiException as error:
        told = json.loads(error.body)
        if told.get("error_type") == step.get("may_refuse"):
            report["refused"] = told["error_code"]
            return None
        fail(f"{path}: {error.status} {told.get('error_code')}: {told.get('error_message')}")
        return None
    except (plaid.exceptions.ApiTypeError, plaid.exceptions.ApiValueError, TypeError) as error:
        fail(f"{path}: the answer has another form than declared: {error}")
        return None
    report["answers"] = report.get("answers", 0) + 1
    if step.get("file"):
        if not given.read().startswith(b"%PDF-"):
            fail(f"{path}: this is no PDF")
        return None
    assert isinstance(given, OpenApiModel), type(given)
    unknown = [name for name in undeclared(given) if f"{path} {name}" not in UNDECLARED and name not in UNDECLARED]
    if unknown:
        fail(f"{path}: fields that Plaid does not declare: {', '.join(unknown)}")
    return given.to_dict()


def main():
    simulator, receiver = Simulator(), Receiver()
    report = {}
    try:
        api = client(simulator.url, CLIENT_ID, SECRET)
        context = Context(receiver.url)
        for step in TABLE:
            path = step["path"]
            try:
                if step.get("body", {}).get("key_id"):
                    headers, _ = receiver.wait("DEFAULT_UPDATE")
                    context["key_id"] = kid(headers["plaid-verification"])
                body = context.fill(step["body"])
            except KeyError as missing:
                fail(f"{path}: {missing} was not given by an earlier call")
                continue
            if path not in report:
                mutations = Mutations(api, path, body)
                status, error = refusal(api, path, {**body, "no_such_field": 1})
                if error.get("error_code") == "NOT_FOUND":
                    fail(f"{path}: the simulator does not answer it")
                    continue
                mutations.all()
                report[path] = {
                    "fields": mutations.fields,
                    "not_looked_into": mutations.skipped,
                    "cases": mutations.counts,
                    "errors": sorted(mutations.errors),
                }
            given = call(api, step, body, report[path])
            if given is not None:
                context.keep(step, given)
    finally:
        simulator.stop()
        receiver.stop()
    cases = sum(sum(one["cases"].values()) for one in report.values())
    answers = sum(one.get("answers", 0) for one in report.values())
    print(f"python: {len(report)} paths, {answers} answers, {cases} refusals, {len(failures)} failures")
    print(f"{len(report)} passed, {len(failures)} failed, 0 skipped")
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return 1 if failures else 0


def kid(token):
    import base64

    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


if __name__ == "__main__":
    sys.exit(main())
