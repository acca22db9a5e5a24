"""A broker with a simulator of Plaid, and the person who connects a bank. The client libraries are the tests' own."""

import http.cookiejar
import json
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = os.environ.get("BROKER_BIN", str(TARGET / "debug" / "plaid-token-broker"))
OUTPUT = pathlib.Path(os.environ.get("TEST_OUTPUT", TARGET / "test-output")) / "oauth-clients"

# The simulator's own keys: public, and shaped like Plaid's. They are the client of the settings too.
CLIENT_ID = "5a11ced0c0ffee0000000001"
CLIENT_SECRET = "51a11a7ed5ec4e7000000000000001"
WRONG_SECRET = "not-the-secret"
# Nobody listens there: the address is read from the page's answer, as a browser would be sent to it.
CALLBACK = "http://127.0.0.1:9/callback"


class Program:
    """The binary, in a directory and with an environment of its own."""

    def __init__(self, name, directory, arguments, settings):
        OUTPUT.mkdir(parents=True, exist_ok=True)
        # Nothing of the caller's environment: a developer's own PLAID_* settings must not reach the test.
        environment = {"PATH": os.environ["PATH"], "RUST_LOG": "info,plaid_token_broker=debug,plaid_simulator=debug", **settings}
        with open(OUTPUT / f"{name}.log", "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, *arguments], cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def port(self, beginning):
        """The port of the line that begins so."""
        for line in self.process.stdout:
            if line.startswith(beginning):
                return urllib.parse.urlsplit(line.removeprefix(beginning).strip()).port
        raise RuntimeError(f"{BINARY} ended before it said '{beginning}'")

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=20)
        if self.process.returncode != 0:
            raise RuntimeError(f"SIGTERM ended it with {self.process.returncode} instead of 0")


class Setting:
    """A broker that wants its client's secret. `add_cleanup` is a test class's `addClassCleanup`."""

    def __init__(self, name, add_cleanup, **more_settings):
        home = tempfile.TemporaryDirectory()
        add_cleanup(home.cleanup)
        plaid = Program(f"{name}-plaid", home.name, ["simulate", "--bind", "127.0.0.1:0"], {})
        add_cleanup(plaid.stop)
        self.plaid = f"http://127.0.0.1:{plaid.port('simulator listening on ')}"
        settings = {
            "APP_PORT": "0",
            "BROKER_OPS_BIND": "127.0.0.1:0",
            "OAUTH_CLIENT_AUTH": "required",
            "PLAID_BASE_URL": self.plaid,
            "PLAID_CLIENT_ID": CLIENT_ID,
            "PLAID_ENV": "sandbox",
            "PLAID_REDIRECT_URI": CALLBACK,
            "PLAID_SECRET": CLIENT_SECRET,
            **more_settings,
        }
        broker = Program(name, home.name, [], settings)
        add_cleanup(broker.stop)
        self.issuer = f"http://localhost:{broker.port('listening on ')}"

    def metadata(self):
        with urllib.request.urlopen(f"{self.issuer}/.well-known/oauth-authorization-server") as answer:
            return json.load(answer)

    def connect(self, authorization_url):
        """Opens what a client sends people to, connects a bank, and says where the browser is sent then."""
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        with browser.open(authorization_url) as answer:
            page = answer.read().decode()
        handle = re.search(r'<main\b[^>]*\bid="link"[^>]*\bdata-handle="([^"]+)"', page).group(1)

        def call(path, body):
            headers = {"X-Broker-Handle": handle, "Sec-Fetch-Site": "same-origin"}
            return post(browser.open, self.issuer + path, body, headers)

        call("/api/create_link_token", {})
        # A public token as Link would give it.
        keys = {"client_id": CLIENT_ID, "secret": CLIENT_SECRET}
        asked = {**keys, "institution_id": "ins_109508", "initial_products": ["auth", "transactions"]}
        made = post(urllib.request.urlopen, f"{self.plaid}/sandbox/public_token/create", asked, {})
        return call("/api/set_access_token", {"public_token": made["public_token"]})["redirect_to"]


def post(send, url, body, headers):
    headers = {"Content-Type": "application/json", **headers}
    with send(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)


def check_tokens(test, tokens):
    """An access token is Plaid's own; the scope is what was granted. No message may show a token."""
    test.assertTrue(tokens["access_token"].startswith("access-sandbox-"), "not an access token of Plaid")
    test.assertEqual(tokens["token_type"], "Bearer")
    test.assertTrue(tokens["refresh_token"], "no refresh token")
