"""The same server on loopback through PlaidCloud's own SimpleRPC and through the binary: the requests are compared, and what
each makes of the responses."""

import contextlib
import io
import json
import re
import urllib.parse

from plaidcloud.rpc.connection.jsonrpc import SimpleRPC
from plaidcloud.rpc.remote.rpc_common import RPCError

from setting import Case, Server, as_json

METHODS = ["identity/me/scopes", "analyze/project/list", "analyze/table/search_by_name", "analyze/query/query"]
ID = re.compile(r"^[0-9a-f]{8}-\d+$")


def result(value):
    return as_json({"id": "1", "ok": True, "result": value})


class Calls(Case):
    def value(self, depth=0):
        rng = self.rng
        kinds = ["int", "float", "text", "bool", "null"] + (["list", "map"] if depth < 3 else [])
        kind = rng.choice(kinds)
        if kind == "int":
            return rng.randrange(-(2**53), 2**53)
        if kind == "float":
            return rng.uniform(-1e6, 1e6)
        if kind == "text":
            return "".join(rng.choices("ab \"\\/{}:,é😀\n\t\u0001", k=rng.randrange(8)))
        if kind == "list":
            return [self.value(depth + 1) for _ in range(rng.randrange(3))]
        if kind == "map":
            return {f"k{number}": self.value(depth + 1) for number in range(rng.randrange(3))}
        return rng.choice([True, False]) if kind == "bool" else None

    def same_request(self, one, other):
        self.assertEqual((one.method, one.path), (other.method, other.path))
        for name in ["content-type", "authorization"]:
            self.assertEqual(one.headers.get(name), other.headers.get(name), name)

    def test_calls_are_the_same_requests(self):
        for path in ["/json-rpc/", "/a/json-rpc/", "/json-rpc"]:
            for method in METHODS:
                params = {f"p{number}": self.value() for number in range(self.rng.randrange(4))}
                answer = self.value()
                server = Server(self, lambda _, answer=answer: result(answer))
                namespace, thing, name = method.split("/")
                rpc = SimpleRPC("the-token", uri=server.url + path)
                expected = getattr(getattr(getattr(rpc, namespace), thing), name)(**params)
                arguments = self.rng.choice([["--params", json.dumps(params)], ["--params", "-"], ["--params", "@file"]])
                (self.home / "file").write_text(json.dumps(params))
                ours = self.succeeds(
                    "call", method, *arguments, env=server.environment(path=path), stdin=json.dumps(params)
                )
                self.assertEqual(json.loads(ours), expected)
                one, other = server.requests
                self.same_request(one, other)
                bodies = [one.json(), other.json()]
                for body in bodies:
                    self.assertRegex(body.pop("id"), ID)
                self.assertEqual(bodies[0], bodies[1])

    def test_responses_mean_the_same(self):
        for code, message in [(-32601, "Method not found"), (7, "häßlich"), (-1000, "no rows")]:
            error = {"code": code, "message": message, "data": None}
            server = Server(self, lambda _, error=error: as_json({"id": "1", "ok": False, "error": error}))
            with self.assertRaises((RPCError, Warning)) as raised:
                SimpleRPC("the-token", uri=server.url + "/json-rpc/").analyze.query.query()
            self.assertIn(message, str(raised.exception))
            told = self.fails(1, "call", "analyze/query/query", env=server.environment())
            self.assertIn(message, told)
            self.assertEqual("warning" in told, isinstance(raised.exception, Warning))
            self.assertEqual(len(server.requests), 2)

    def test_what_is_no_response_fails_on_both_sides(self):
        for answer in [
            (200, {"Content-Type": "text/html"}, b"<html>hello</html>"),
            (200, {}, b'{"id": "1", "ok": true, "resu'),
            (302, {"Location": "/elsewhere"}, b""),
            (403, {}, b"no"),
        ]:
            server = Server(self, lambda _, answer=answer: answer)
            with self.assertRaises(Exception), contextlib.redirect_stdout(io.StringIO()):
                SimpleRPC("the-token", uri=server.url + "/json-rpc/").analyze.query.query()
            self.fails(1, "call", "analyze/query/query", env=server.environment())
            self.assertTrue(all(request.path == "/json-rpc/analyze/query/query" for request in server.requests))

    def test_downloads_are_the_same_bytes(self):
        for size in [0, 5, 3_000_000]:
            data = self.rng.randbytes(size)
            server = Server(self, lambda _, data=data: (200, {"Content-Type": "text/csv"}, data))
            rpc = SimpleRPC("the-token", uri=server.url + "/json-rpc/")
            file = rpc.analyze.query.download_csv(project_id="p", query="SELECT 1")
            params = json.dumps({"project_id": "p", "query": "SELECT 1"})
            printed = self.succeeds(
                "download", "analyze/query/download_csv", "--params", params, "-o", "x.csv", env=server.environment()
            )
            with open(file, "rb") as expected:
                self.assertEqual((self.home / printed).read_bytes(), expected.read())
            one, other = server.requests
            self.same_request(one, other)

    def test_rest_requests_are_the_same(self):
        server = Server(self, lambda _: as_json([{"id": 1.5}]))
        rpc = SimpleRPC("the-token", uri=server.url + "/json-rpc/")
        params = {"project_id": "a b&c", "ids": ["1", "é"]}
        query = [f"{name}={value}" for name, values in params.items() for value in ([values] if isinstance(values, str) else values)]
        body = {"x": self.value()}
        path = "analyze/dimension/dimensions"
        expected = [rpc.call_rest("GET", path, params=params), rpc.call_rest("POST", "/" + path, body=body)]
        ours = [
            self.succeeds("rest", "GET", path, *[part for pair in query for part in ("--query", pair)], env=server.environment()),
            self.succeeds("rest", "POST", "/" + path, "--body", json.dumps(body), env=server.environment()),
        ]
        self.assertEqual([json.loads(text) for text in ours], expected)
        get, post, our_get, our_post = server.requests
        for one, other in [(get, our_get), (post, our_post)]:
            self.assertEqual(one.method, other.method)
            self.assertEqual(one.headers.get("content-type"), other.headers.get("content-type"))
            split = [urllib.parse.urlsplit(request.path) for request in (one, other)]
            self.assertEqual(split[0].path, split[1].path)
            self.assertEqual(*[urllib.parse.parse_qsl(part.query) for part in split])
        self.assertEqual(post.json(), our_post.json())

    def test_rest_errors_and_files(self):
        server = Server(self, lambda _: as_json({"detail": "no such dimension"}, 404))
        rpc = SimpleRPC("the-token", uri=server.url + "/json-rpc/", retry=False)
        with self.assertRaises(RPCError) as raised:
            rpc.call_rest("GET", "a/b")
        self.assertIn("no such dimension", str(raised.exception))
        self.assertIn("no such dimension", self.fails(1, "rest", "GET", "a/b", env=server.environment()))
        data = self.rng.randbytes(100_000)
        server = Server(self, lambda _: (200, {}, data))
        rpc = SimpleRPC("the-token", uri=server.url + "/json-rpc/")
        rpc.call_rest("GET", "document/view/download-file", to_file=self.home / "theirs")
        self.succeeds("rest", "GET", "document/view/download-file", "-o", "ours", env=server.environment())
        self.assertEqual((self.home / "ours").read_bytes(), (self.home / "theirs").read_bytes())
