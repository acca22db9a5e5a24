"""The grants against a token server on loopback that behaves as Keycloak does, and the form that PlaidCloud's own client sends."""

import concurrent.futures
import json
import os
import stat
import subprocess
import threading
import time
import urllib.parse

import jwt
import requests
import yaml
from plaidcloud.rpc.rpc_connect import Connect

from setting import BINARY, Case, Server, as_json

REDIRECT = "http://localhost:8080/callback"
CLIENT = {"client_id": "the-client", "client_secret": "the s3cr3t+&="}


class Keycloak:
    """One realm with one confidential client: codes work once and with their redirect_uri, refresh tokens rotate."""

    def __init__(self, case):
        self.codes, self.refresh_tokens, self.issued = {}, set(), 0
        self.lock = threading.Lock()
        self.server = Server(case, self.respond)

    def respond(self, request):
        url = urllib.parse.urlsplit(request.path)
        parts = url.path.split("/")
        if parts[:3] != ["", "auth", "realms"] or parts[4:6] != ["protocol", "openid-connect"]:
            return as_json({"error": "unknown path"}, 404)
        if parts[3] != "PlaidCloud":
            return as_json({"error": "Realm does not exist"}, 404)
        with self.lock:
            if parts[6] == "auth" and request.method == "GET":
                return self.authorize(dict(urllib.parse.parse_qsl(url.query)))
            if parts[6] == "token" and request.method == "POST":
                return self.token(dict(urllib.parse.parse_qsl(request.body.decode())))
        # Keycloak answers 405 to PlaidCloud's own client, which sends the browser to the token endpoint.
        return as_json({"error": "HTTP 405 Method Not Allowed"}, 405)

    def authorize(self, query):
        if query.get("client_id") != CLIENT["client_id"] or query.get("redirect_uri") != REDIRECT:
            return as_json({"error": "invalid_redirect_uri"}, 400)
        code = f"c0de-{len(self.codes)}"
        self.codes[code] = query
        location = f"{REDIRECT}?{urllib.parse.urlencode({'state': query['state'], 'session_state': 'x', 'code': code})}"
        return 302, {"Location": location}, b""

    def token(self, form):
        if any(form.get(name) != value for name, value in CLIENT.items()):
            return as_json({"error": "unauthorized_client", "error_description": "Invalid client credentials"}, 401)
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return self.issue(refresh=False)
        if grant == "authorization_code":
            query = self.codes.pop(form.get("code"), None)
            if query is None:
                return as_json({"error": "invalid_grant", "error_description": "Code not valid"}, 400)
            if query["redirect_uri"] != form.get("redirect_uri"):
                return as_json({"error": "invalid_grant", "error_description": "Incorrect redirect_uri"}, 400)
            if "code_challenge" in query and "code_verifier" not in form:
                return as_json({"error": "invalid_grant", "error_description": "PKCE code verifier not specified"}, 400)
            return self.issue(refresh=True)
        if grant == "refresh_token":
            if form.get("refresh_token") not in self.refresh_tokens:
                return as_json({"error": "invalid_grant", "error_description": "Token is not active"}, 400)
            self.refresh_tokens.remove(form["refresh_token"])
            return self.issue(refresh=True)
        return as_json({"error": "unsupported_grant_type"}, 400)

    def issue(self, refresh):
        self.issued += 1
        claims = {"exp": int(time.time()) + 300, "scope": "analyze document identity", "jti": str(self.issued)}
        answer = {"access_token": jwt.encode(claims, "k" * 32, "HS256"), "expires_in": 300, "token_type": "Bearer"}
        if refresh:
            answer["refresh_token"] = f"refresh-{self.issued}"
            self.refresh_tokens.add(answer["refresh_token"])
        return as_json(answer)

    def forms(self):
        posts = [request for request in self.server.requests if request.method == "POST"]
        return [dict(urllib.parse.parse_qsl(request.body.decode())) for request in posts]


class Grants(Case):
    def setUp(self):
        super().setUp()
        self.keycloak = Keycloak(self)

    def conf(self, **more):
        conf = {
            "user_id": 7, **CLIENT, "hostname": "localhost:1", "realm": "PlaidCloud", "workspace_uuid": "w",
            "auth_uri": f"{self.keycloak.server.url}/auth", "redirect_uri": REDIRECT, **more,
        }
        (self.home / "plaid.conf").write_text(yaml.safe_dump(conf))

    def kept(self):
        return list((self.home / ".cache/plaidcloud/tokens").glob("*.json"))

    def test_client_credentials(self):
        self.conf(grant_type="client_credentials")
        shown = self.succeeds("token")
        self.assertIn("source: the token server, just now", shown)
        self.assertIn("scopes: analyze document identity", shown)
        self.assertRegex(shown, r"expires: 20\d\d-\d\d-\d\dT")
        self.assertNotIn("eyJ", shown)
        token = self.succeeds("token", "--reveal")
        self.assertEqual(jwt.decode(token, "k" * 32, ["HS256"])["jti"], "1")
        (file,) = self.kept()
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertNotIn(token, (self.home / "plaid.conf").read_text())
        self.assertIn("just now", self.succeeds("token", "--renew"))
        self.assertEqual(self.keycloak.issued, 2)
        self.succeeds("token", "--no-cache")
        self.assertEqual(self.keycloak.issued, 3)

    def test_the_form_is_the_one_of_plaidclouds_own_client(self):
        self.conf(grant_type="client_credentials")
        Connect(str(self.home / "plaid.conf"))
        self.succeeds("token")
        theirs, ours = self.keycloak.forms()
        self.assertEqual(theirs, ours)
        kinds = {request.headers["content-type"] for request in self.keycloak.server.requests}
        self.assertEqual(kinds, {"application/x-www-form-urlencoded"})

    def test_a_login_in_the_browser_and_its_refresh(self):
        self.conf()
        told = self.fails(2, "token")
        self.assertIn("plaid-token-broker plaidcloud token --login", told)
        process = subprocess.Popen(
            [BINARY, "plaidcloud", "token", "--login"],
            cwd=self.home, env={"HOME": str(self.home)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        address = next(line.strip() for line in process.stderr if line.startswith("http"))
        answer = requests.get(address, allow_redirects=False, timeout=10)
        self.assertEqual(answer.status_code, 302, answer.text)
        out, err = process.communicate(answer.headers["Location"] + "\n", timeout=30)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("just now", out)
        self.assertEqual(self.keycloak.forms()[0]["redirect_uri"], REDIRECT)
        self.assertIn("source: the token cache", self.succeeds("token"))
        self.succeeds("token", "--renew")
        self.succeeds("token", "--renew")
        grants = [form["grant_type"] for form in self.keycloak.forms()]
        self.assertEqual(grants, ["authorization_code", "refresh_token", "refresh_token"])
        # The session ends at the server: a person has to log in again.
        self.keycloak.refresh_tokens.clear()
        self.assertIn("--login", self.fails(2, "token", "--renew"))

    def test_the_code_of_the_file_is_redeemed_once(self):
        self.keycloak.codes["pasted"] = {"redirect_uri": REDIRECT}
        self.conf(auth_code="pasted")
        self.succeeds("token")
        self.succeeds("token")
        self.assertEqual(len(self.keycloak.forms()), 1)
        self.conf(auth_code="never-issued")
        told = self.fails(1, "token")
        self.assertIn("invalid_grant (Code not valid)", told)
        self.assertNotIn("never-issued", told)

    def test_refusals_are_explained(self):
        self.conf(grant_type="client_credentials", client_secret="wr0ng")
        told = self.fails(1, "token")
        self.assertIn("Check client_id and client_secret", told)
        self.assertNotIn("wr0ng", told)
        self.conf(grant_type="client_credentials", realm="Elsewhere")
        self.assertIn("Check realm", self.fails(1, "conf", "check"))
        self.conf(grant_type="client_credentials", auth_uri="http://127.0.0.1:1/auth")
        self.assertIn("refused", self.fails(3, "conf", "check"))
        self.conf(grant_type="client_credentials", realm="")
        self.assertIn("realm is missing", self.fails(2, "conf", "check"))

    def test_processes_at_once_request_one_token_and_leave_a_sound_cache(self):
        self.conf(grant_type="client_credentials")
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            tokens = set(pool.map(lambda _: self.succeeds("token", "--reveal"), range(24)))
        self.assertEqual((len(tokens), self.keycloak.issued), (1, 1))
        (file,) = self.kept()
        self.assertEqual(json.loads(file.read_text())["access_token"], tokens.pop())
        # Renewals at once replace the file as a whole, while others read it.
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda n: self.succeeds("token", *(["--renew"] if n % 2 else [])), range(24)))
        self.assertEqual(self.keycloak.issued, 13)
        self.assertEqual(sorted(os.listdir(file.parent)), sorted([file.name, file.with_suffix(".lock").name]))
