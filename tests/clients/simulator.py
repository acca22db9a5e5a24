"""A simulator of our own: started, told what to do, and stopped."""

import json
import os
import pathlib
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLIENT_ID = "5a11ced0c0ffee0000000001"
SECRET = "51a11a7ed5ec4e7000000000000001"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def log():
    """Where the simulator's own log goes: to what is searched for secrets, when there is such a place."""
    output = os.environ.get("TEST_OUTPUT")
    return open(f"{output}/simulator-{os.getpid()}.log", "ab") if output else subprocess.DEVNULL


class Simulator:
    """`plaid-token-broker simulate` on a port of its own."""

    def __init__(self, *options):
        binary = os.environ.get("BROKER_BIN", str(ROOT / "target/debug/plaid-token-broker"))
        self.process = subprocess.Popen(
            [binary, "simulate", "--bind", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE,
            stderr=log(),
            env={**os.environ, "RUST_LOG": "info"},
            text=True,
        )
        line = self.process.stdout.readline()
        if "http://" not in line:
            raise RuntimeError(f"the simulator did not start: {line!r}")
        self.url = line.split()[-1]

    def control(self, method, path, body=None):
        """A call under /_simulator/, and its answer."""
        request = urllib.request.Request(
            f"{self.url}/_simulator{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Receiver:
    """Takes webhooks and keeps their headers and bytes."""

    def __init__(self):
        self.deliveries = []
        self.came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.end_headers()
                with receiver.came:
                    receiver.deliveries.append((dict(self.headers.items()), body))
                    receiver.came.notify_all()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def wait(self, code):
        """The first delivery with this webhook_code: headers in lower case, bytes."""

        def found():
            for headers, body in self.deliveries:
                if json.loads(body)["webhook_code"] == code:
                    return {name.lower(): value for name, value in headers.items()}, body
            return None

        with self.came:
            if not self.came.wait_for(found, 10):
                raise AssertionError(f"the webhook {code} did not come")
            return found()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
