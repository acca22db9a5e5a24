"""Authlib's client for requests, set up from the broker's metadata, with PKCE."""

import unittest

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

import setting
from setting import CALLBACK, CLIENT_ID, CLIENT_SECRET, WRONG_SECRET

# Authlib makes the challenge from this (RFC 7636 4.1: 43 to 128 characters).
VERIFIER = "a-verifier-of-these-tests-that-is-as-long-as-it-must-be"


class Authlib(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.setting = setting.Setting("authlib", cls.addClassCleanup)
        cls.server = AuthorizationServerMetadata(cls.setting.metadata())

    def client(self, secret=CLIENT_SECRET, method="client_secret_basic"):
        return OAuth2Session(
            CLIENT_ID,
            secret,
            scope="transactions",
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            token_endpoint=self.server["token_endpoint"],
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )

    def authorize(self, client):
        url, _ = client.create_authorization_url(self.server["authorization_endpoint"], code_verifier=VERIFIER)
        return self.setting.connect(url)

    def redeem(self, client, landed):
        return client.fetch_token(authorization_response=landed, code_verifier=VERIFIER)

    def test_the_metadata_is_valid(self):
        # Valid metadata speaks of https alone, so this broker has such an address (behind a proxy, if this were real).
        issuer = "https://broker.example"
        broker = setting.Setting("authlib-https", self.addCleanup, PUBLIC_URL=issuer)
        server = AuthorizationServerMetadata(broker.metadata())
        server.validate()
        self.assertEqual(server["issuer"], issuer)
        self.assertEqual(server["code_challenge_methods_supported"], ["S256"])

    def test_it_comes_all_the_way(self):
        for method in ("client_secret_basic", "client_secret_post"):
            with self.subTest(method):
                client = self.client(method=method)
                first = self.redeem(client, self.authorize(client))
                setting.check_tokens(self, first)
                self.assertEqual(first["scope"], "transactions")
                self.assertFalse(first.is_expired())

                access_token, refresh_token = first["access_token"], first["refresh_token"]
                second = client.refresh_token(refresh_token=refresh_token)
                self.assertTrue(second["access_token"] == access_token, "the access token changed")

                told = client.introspect_token(self.server["introspection_endpoint"], token=refresh_token)
                self.assertIs(told.json()["active"], True)
                revoked = client.revoke_token(self.server["revocation_endpoint"], token=refresh_token)
                self.assertEqual(revoked.status_code, 200)
                with self.assertRaises(OAuthError) as refused:
                    client.refresh_token(refresh_token=refresh_token)
                self.assertEqual(refused.exception.error, "invalid_grant")

    def test_a_wrong_secret_and_a_used_code_are_its_own_errors(self):
        client = self.client()
        landed = self.authorize(client)
        mistaken = self.client(WRONG_SECRET)
        mistaken.state = client.state
        with self.assertRaises(OAuthError) as refused:
            self.redeem(mistaken, landed)
        self.assertEqual(refused.exception.error, "invalid_client")
        self.redeem(client, landed)
        with self.assertRaises(OAuthError) as refused:
            self.redeem(client, landed)
        self.assertEqual(refused.exception.error, "invalid_grant")
        self.assertTrue(refused.exception.description)


if __name__ == "__main__":
    unittest.main()
