"""The binary, directories of its own, and servers on loopback."""

import json
import os
import pathlib
import random
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The proxy and configuration variables of the machine would change what is compared.
for name in [name for name in os.environ if name.startswith("__PLAID_") or name.lower().endswith("_proxy")]:
    del os.environ[name]

BINARY = os.environ["BROKER_BIN"]
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(2**32)))
print(f"plaidcloud: SEED={SEED}")


def plaidcloud(*arguments, home, cwd=None, env=None, stdin=None):
    """Runs `plaidcloud` with nothing in its environment but HOME and `env`."""
    return subprocess.run(
        [BINARY, "plaidcloud", *arguments],
        cwd=cwd or home,
        env={"HOME": str(home), **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Case(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(f"{SEED} {self.id()}")
        folder = tempfile.TemporaryDirectory(prefix="plaidcloud-")
        self.addCleanup(folder.cleanup)
        # As both sides see it.
        self.home = pathlib.Path(folder.name).resolve()

    def succeeds(self, *arguments, **options):
        done = plaidcloud(*arguments, home=self.home, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.removesuffix("\n")

    def fails(self, code, *arguments, **options):
        done = plaidcloud(*arguments, home=self.home, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.body = method, path, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    def json(self):
        return json.loads(self.body)


class Server:
    """`respond(request)` returns status, headers and bytes."""

    def __init__(self, case, respond):
        self.requests = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.command, self.path, self.headers, body)
                server.requests.append(request)
                status, headers, body = respond(request)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        case.addCleanup(self.server.server_close)
        case.addCleanup(self.server.shutdown)

    def environment(self, token="the-token", path="/json-rpc/"):
        """What PlaidCloud's own environments set: its files always mean https."""
        return {"__PLAID_RPC_URI__": self.url + path, "__PLAID_RPC_AUTH_TOKEN__": token}


def as_json(value, status=200):
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()
