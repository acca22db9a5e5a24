"""The same directory trees through PlaidCloud's own PlaidConfig and through the binary."""

import contextlib
import json
import logging
import os
from unittest import mock

import yaml
from plaidcloud.rpc.config import PlaidConfig

from setting import Case, plaidcloud

TREES = 150
REQUIRED = ["user_id", "client_id", "client_secret", "hostname", "realm", "workspace_uuid"]
NAMES = ["PROJECT_ROOT", "LOCAL_STORAGE", "DEBUG", "REPORTS"]
TEXTS = [
    "{PROJECT_ROOT}/a", "{LOCAL_STORAGE}//b/../c", "{DEBUG}/./d", "{WORKING_USER}", "{REPORTS}/left", "{NOPE}/left",
    "/absolute/../x", "relative/./y/", "{{braces}}/z",
]
DOCUMENTED = """paths:
 PROJECT_ROOT: '{WORKING_USER}/Documents'
 LOCAL_STORAGE: '{PROJECT_ROOT}/local_storage'
 DEBUG: '{PROJECT_ROOT}/local_storage'
 REPORTS: '{PROJECT_ROOT}/reports'

 create: []
 local: {}
"""

logging.disable(logging.CRITICAL)


def theirs(start, home, env=None):
    """PlaidConfig as it is used in a working directory; None when it fails."""
    before = os.getcwd()
    os.chdir(start)
    try:
        with mock.patch.dict(os.environ, env or {}), contextlib.redirect_stdout(None):
            return PlaidConfig(None, working_user=str(home))
    except Exception:
        return None
    finally:
        os.chdir(before)


class Trees(Case):
    def text(self):
        letters = "abcdefghijklmnopqrstuvwxyz0123456789-_ :#'\"{}é"
        return "x" + "".join(self.rng.choices(letters, k=self.rng.randrange(12))) + "y"

    def conf(self):
        rng = self.rng
        conf = {key: self.text() for key in REQUIRED}
        conf["user_id"] = rng.choice([rng.randrange(1000), self.text()])
        conf["hostname"] = rng.choice(["tenant.plaid.cloud", "h", "plaid.example:8443", "127.0.0.1:9"])
        conf["realm"] = rng.choice(["PlaidCloud", "other-realm", "r2"])
        for key in ["project_id", "workflow_id", "step_id", "name", "auth_token", "auth_code", "surplus"]:
            if rng.random() < 0.4:
                conf[key] = self.text()
        if rng.random() < 0.3:
            conf["auth_uri"] = rng.choice(["https://auth.example/auth", "http://127.0.0.1:9/auth", "https://h:1/a/b"])
        if rng.random() < 0.3:
            conf["redirect_uri"] = "http://localhost:8080/"
        if rng.random() < 0.3:
            conf["grant_type"] = rng.choice(["code", "client_credentials"])
        if rng.random() < 0.3:
            conf["verify_ssl"] = rng.choice([True, False])
        if rng.random() < 0.15:
            del conf[rng.choice(["user_id", "client_id", "client_secret", "hostname", "workspace_uuid"])]
        return conf

    def write(self, path, value):
        """As YAML or JSON, with any line ends, with and without a byte order mark."""
        rng = self.rng
        text = yaml.safe_dump(value, allow_unicode=rng.random() < 0.5) if rng.random() < 0.7 else json.dumps(value)
        if rng.random() < 0.3:
            text = text.replace("\n", "\r\n")
        if rng.random() < 0.2:
            text = "\ufeff" + text
        path.write_bytes(text.encode())

    def paths(self):
        rng = self.rng
        paths = {
            "PROJECT_ROOT": rng.choice(["{WORKING_USER}/Documents", "{WORKING_USER}", f"{self.home}/fixed/../root", "//r"]),
            "LOCAL_STORAGE": rng.choice(["{PROJECT_ROOT}/local_storage", "{PROJECT_ROOT}", "{PROJECT_ROOT}/a/./b//c"]),
            "DEBUG": rng.choice(["{PROJECT_ROOT}/debug", "{PROJECT_ROOT}/../up", "relative/debug"]),
            "REPORTS": rng.choice(["{PROJECT_ROOT}/reports", "/reports/../r"]),
        }
        if rng.random() < 0.5:
            paths["EXPORTS"] = rng.choice(["{LOCAL_STORAGE}/exports", "{REPORTS}/x", "{WORKING_USER}/{DEBUG}"])
        if rng.random() < 0.1:
            del paths[rng.choice(NAMES)]
        if rng.random() < 0.1:
            paths["DEBUG"] = rng.choice(["{WORKING_USER}/x", "{LOCAL_STORAGE}/x", "{PROJECT_ROOT", "x}", "{}"])
        if rng.random() < 0.5:
            paths["create"] = rng.choice([[], [str(self.home / "made"), "{PROJECT_ROOT}/made"]])
            if paths.get("PROJECT_ROOT") == "//r":
                paths["create"] = []
        if rng.random() < 0.3:
            paths["local"] = {}
        return paths

    def beside(self, folder):
        """At most one file has `paths`: their order is not defined for PlaidConfig."""
        rng = self.rng
        if rng.random() < 0.7:
            self.write(folder / rng.choice(["paths.yaml", "z.yaml"]), {"paths": self.paths()})
        if rng.random() < 0.3:
            self.write(folder / "options.yaml", {"options": {"x": 1}, "local": {"debug": False}})
        if rng.random() < 0.2:
            (folder / ".hidden.yaml").write_text("]")
            (folder / "ignored.yml").write_text("]")

    def level(self, directory, is_root):
        rng = self.rng
        nested = directory / ".plaid"
        kind = "nested" if is_root and rng.random() < 0.7 else rng.choice(["none", "none", "direct", "nested", "both", "empty", "link", "dangling", "loop", "file"])
        if kind in ("direct", "both"):
            self.write(directory / "plaid.conf", self.conf())
            self.beside(directory)
        if kind in ("nested", "both"):
            nested.mkdir()
            self.write(nested / "plaid.conf", self.conf())
            self.beside(nested)
        elif kind == "empty":
            nested.mkdir()
            self.beside(nested)
        elif kind == "link":
            real = directory / "real"
            real.mkdir()
            self.write(real / "plaid.conf", self.conf())
            self.beside(real)
            nested.symlink_to(real)
        elif kind == "dangling":
            (directory / "plaid.conf").symlink_to("missing")
            nested.symlink_to("missing")
        elif kind == "loop":
            nested.symlink_to(".plaid")
        elif kind == "file":
            nested.write_text("a file")

    def compare(self, start):
        """Returns how it ended."""
        config = theirs(start, self.home)
        shown = self.run_binary("conf", "show", "--json", cwd=start)
        if config is None:
            located = self.run_binary("conf", "locate", cwd=start)
            paths = self.run_binary("paths", "--json", cwd=start)
            self.assertTrue(2 in (located.returncode, shown.returncode, paths.returncode), (located, shown, paths))
            return "both fail"
        self.assertEqual(shown.returncode, 0, shown.stderr)
        shown = json.loads(shown.stdout)
        self.assertEqual(self.succeeds("conf", "locate", cwd=start), config.cfg_path)
        self.assertEqual(shown["source"], config.cfg_path)
        for name in ["rpc_uri", "token_uri", "auth_uri", "workspace_uuid", "client_id", "hostname", "grant_type"]:
            self.assertEqual(shown[name], str(getattr(config, name)), name)
        self.assertEqual(shown["user_id"], str(config.user_id))
        for name in ["_project_id", "_workflow_id", "_step_id", "redirect_uri"]:
            self.assertEqual(shown.get(name.removeprefix("_"), ""), getattr(config, name), name)
        self.assertEqual("auth_token" in shown, bool(config.auth_token))
        # Deviation: certificates are verified unless the file says otherwise.
        self.assertEqual(shown["verify_ssl"], config.config.get("verify_ssl", True))
        if "paths" not in config.all:
            self.assertIn("paths", self.fails(2, "paths", cwd=start))
            return "without paths"
        expected = {name: config.path(name) for name in NAMES}
        self.assertEqual(json.loads(self.succeeds("paths", "--json", cwd=start)), expected)
        self.lookups(config, start)
        return "with paths"

    def run_binary(self, *arguments, **options):
        return plaidcloud(*arguments, home=self.home, **options)

    def lookups(self, config, start):
        texts = self.rng.sample(TEXTS, 2) + (["EXPORTS"] if "EXPORTS" in config.paths else [])
        for text in texts:
            if text != "EXPORTS":
                config.paths["TEXT"] = text
            expected = config.path("EXPORTS" if text == "EXPORTS" else "TEXT")
            done = self.run_binary("paths", text, cwd=start)
            # Deviation: what is left unknown is also an error.
            known = "{REPORTS}" not in expected and "{NOPE}" not in expected
            self.assertEqual((done.stdout, done.returncode), (expected + "\n", 0 if known else 1), text)

    def test_random_trees(self):
        ends = {}
        for number in range(TREES):
            root = self.home / f"tree-{number}"
            directory = root
            levels = [root]
            for _ in range(self.rng.randrange(4)):
                directory = directory / self.rng.choice(["a", "b c", "é"])
                levels.append(directory)
            directory.mkdir(parents=True)
            for level in levels:
                self.level(level, level is root)
            start = self.rng.choice(levels)
            with self.subTest(tree=number, start=str(start)):
                end = self.compare(start)
                ends[end] = ends.get(end, 0) + 1
        print("plaidcloud: trees", ends)
        for end in ["both fail", "without paths", "with paths"]:
            self.assertGreater(ends.get(end, 0), 5, ends)

    def test_the_documented_example(self):
        folder = self.home / ".plaid"
        folder.mkdir()
        self.write(folder / "plaid.conf", {key: "h" for key in REQUIRED})
        (folder / "paths.yaml").write_text(DOCUMENTED)
        self.assertEqual(self.compare(self.home), "with paths")


class Environment(Case):
    VARIABLES = [
        "__PLAID_RPC_URI__", "__PLAID_RPC_AUTH_TOKEN__", "__PLAID_PROJECT_ID__", "__PLAID_WORKSPACE_UUID__",
        "__PLAID_WORKFLOW_ID__", "__PLAID_STEP_ID__",
    ]

    def test_random_environments(self):
        conf = {key: "of-the-file" for key in REQUIRED}
        (self.home / "plaid.conf").write_text(yaml.safe_dump(conf))
        chosen = 0
        for _ in range(60):
            env = {name: self.rng.choice(["", "v1", "v2"]) for name in self.VARIABLES if self.rng.random() < 0.7}
            if env.get("__PLAID_RPC_URI__"):
                env["__PLAID_RPC_URI__"] = "https://tenant.example/json-rpc/"
            if self.rng.random() < 0.5:
                env["__PLAID_VERIFY_SSL__"] = self.rng.choice(["True", "true", "False", "1"])
            with self.subTest(env=env):
                config = theirs(self.home, self.home, env)
                shown = json.loads(self.succeeds("conf", "show", "--json", env=env))
                chosen += not config.is_local
                self.assertEqual(shown["source"] == "environment", not config.is_local)
                self.assertEqual(shown["rpc_uri"], config.rpc_uri)
                self.assertEqual(shown.get("workspace_uuid", ""), config.workspace_uuid)
                for name in ["project_id", "workflow_id", "step_id"]:
                    self.assertEqual(shown.get(name, ""), getattr(config, f"_{name}"))
                if not config.is_local:
                    # Deviation: an absent variable means to verify.
                    verifies = config.verify_ssl or "__PLAID_VERIFY_SSL__" not in env
                    self.assertEqual(shown["verify_ssl"], verifies)
        self.assertGreater(chosen, 5)


class Deviations(Case):
    """What docs/plaidcloud.md lists, shown on both sides."""

    def setUp(self):
        super().setUp()
        self.conf = {key: "h" for key in REQUIRED}

    def write(self, paths=None, **files):
        (self.home / "plaid.conf").write_text(yaml.safe_dump(self.conf))
        if paths is not None:
            (self.home / "paths.yaml").write_text(DOCUMENTED.replace(*paths))
        for name, text in files.items():
            (self.home / f"{name}.yaml").write_text(text)

    def test_an_old_file_without_realm_is_read(self):
        del self.conf["realm"]
        self.write()
        self.assertIsNone(theirs(self.home, self.home))
        self.assertNotIn("token_uri", json.loads(self.succeeds("conf", "show", "--json")))

    def test_an_unknown_placeholder_in_project_root_is_an_error(self):
        self.write(paths=("{WORKING_USER}", "{HOME}"))
        self.assertEqual(theirs(self.home, self.home).path("PROJECT_ROOT"), "{HOME}/Documents")
        self.assertIn("{HOME}", self.fails(2, "paths"))

    def test_a_yaml_file_that_cannot_be_read_is_an_error(self):
        self.write(paths=("x", "x"), broken="a: [")
        self.assertIsNotNone(theirs(self.home, self.home))
        self.assertIn("broken.yaml", self.fails(2, "paths"))

    def test_a_slash_at_the_end_of_auth_uri_is_removed(self):
        self.conf["auth_uri"] = "https://h/auth/"
        self.write()
        self.assertIn("/auth//realms/", theirs(self.home, self.home).token_uri)
        self.assertIn("/auth/realms/", json.loads(self.succeeds("conf", "show", "--json"))["token_uri"])

    def test_a_hostname_with_a_scheme_is_an_error(self):
        self.conf["hostname"] = "https://h"
        self.write()
        self.assertEqual(theirs(self.home, self.home).rpc_uri, "https://https://h/json-rpc/")
        self.assertIn("hostname", self.fails(2, "conf", "show"))

    def test_a_quoted_false_means_false(self):
        self.conf["verify_ssl"] = "False"
        self.write()
        self.assertTrue(theirs(self.home, self.home).verify_ssl)
        self.assertFalse(json.loads(self.succeeds("conf", "show", "--json"))["verify_ssl"])

    def test_a_file_that_is_named_goes_before_the_environment(self):
        self.write()
        env = {"__PLAID_RPC_URI__": "https://e/json-rpc/", "__PLAID_RPC_AUTH_TOKEN__": "t"}
        with mock.patch.dict(os.environ, env):
            config = PlaidConfig(str(self.home / "plaid.conf"))
        self.assertEqual(config.rpc_uri, "https://e/json-rpc/")
        shown = self.succeeds("conf", "show", "--json", "--conf", "plaid.conf", env=env)
        self.assertEqual(json.loads(shown)["rpc_uri"], "https://h/json-rpc/")

