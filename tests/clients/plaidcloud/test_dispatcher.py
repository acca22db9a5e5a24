"""The binary against PlaidCloud's own server-side dispatcher, execute_json_rpc, behind HTTP on loopback."""

import asyncio
import json
import logging

from plaidcloud.rpc.remote.json_rpc_server import execute_json_rpc

from setting import Case, Server, as_json

AUTH = {"workspace": "w", "user": "u", "scopes": ["analyze.project.read", "identity.me.read"]}

logging.disable(logging.CRITICAL)


def dispatch(request):
    if request.headers.get("authorization") != "Bearer the-token":
        return as_json({"detail": "no"}, 401)
    message = request.json()
    # The path and the message name the same method.
    if request.path != f"/json-rpc/{message['method']}":
        return as_json({"detail": "another method"}, 400)
    return as_json(asyncio.run(execute_json_rpc(request.body, dict(AUTH), base_path="methods")))


class Dispatcher(Case):
    def setUp(self):
        super().setUp()
        self.server = Server(self, dispatch)
        self.env = self.server.environment()

    def call(self, method, /, **params):
        return json.loads(self.succeeds("call", method, "--params", json.dumps(params), env=self.env))

    def refused(self, method, /, code=1, **params):
        return self.fails(code, "call", method, "--params", json.dumps(params), env=self.env)

    def test_results(self):
        self.assertEqual(self.call("identity/me/scopes"), sorted(AUTH["scopes"]))
        expected = {"id": "p", "workspace": "w", "more": {"x": [1.5, None]}}
        self.assertEqual(self.call("analyze/project/project", project_id="p", more={"x": [1.5, None]}), expected)
        self.assertEqual(self.call("echo", x="é")["params"]["x"], "é")
        self.assertEqual(self.call("help", method="analyze/project/project")["description"], "Describes one project.")

    def test_the_project_option_is_a_parameter(self):
        printed = self.succeeds("call", "analyze/project/project", "--project", "p2", env=self.env)
        self.assertEqual(json.loads(printed)["id"], "p2")
        env = {**self.env, "__PLAID_PROJECT_ID__": "configured"}
        printed = self.succeeds("call", "analyze/project/project", "--project", env=env)
        self.assertEqual(json.loads(printed)["id"], "configured")

    def test_errors(self):
        self.assertIn("Method not found (code -32601)", self.refused("analyze/project/nothing"))
        self.assertIn("lack of permission scope", self.refused("analyze/project/delete", project_id="p"))
        told = self.refused("analyze/project/lookup_by_name", name="n")
        self.assertIn('There is no project n (code -32099) ({"name":"n"})', told)
        self.assertIn("Could not list projects: ValueError: unexpected", self.refused("analyze/project/listed"))
        self.assertIn("unexpected keyword argument 'wrong' (code -32603)", self.refused("analyze/project/project", wrong=1))

    def test_a_warning_is_on_standard_error_and_no_result(self):
        told = self.refused("analyze/project/variables", project_id="p")
        self.assertEqual(told, "warning from the server: The project has no variables\n")

    def test_check_works_and_explains_a_refused_token(self):
        self.assertIn("identity/me/scopes works", self.succeeds("conf", "check", env=self.env))
        env = self.server.environment(token="another")
        told = self.fails(1, "conf", "check", env=env)
        self.assertIn("refuses the token (401)", told)
        self.assertIn("__PLAID_RPC_AUTH_TOKEN__", told)
        self.assertNotIn("another", told)
