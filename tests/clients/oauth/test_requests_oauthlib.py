"""requests-oauthlib, with and without PKCE."""

import os
import unittest

from oauthlib.oauth2 import InvalidClientError, InvalidGrantError, MismatchingStateError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

import setting
from setting import CALLBACK, CLIENT_ID, CLIENT_SECRET, WRONG_SECRET

# The library's own switch for a server on loopback.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


class RequestsOauthlib(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.setting = setting.Setting("requests-oauthlib", cls.addClassCleanup)
        server = cls.setting.metadata()
        cls.authorization = server["authorization_endpoint"]
        cls.token = server["token_endpoint"]
        cls.revocation = server["revocation_endpoint"]

    def authorize(self, pkce=None):
        session = OAuth2Session(CLIENT_ID, redirect_uri=CALLBACK, scope=["transactions"], pkce=pkce)
        url, _ = session.authorization_url(self.authorization)
        return session, self.setting.connect(url)

    def redeem(self, session, landed, secret=CLIENT_SECRET, **options):
        # The library takes the callback's URL only as https, or with its switch above.
        return session.fetch_token(self.token, authorization_response=landed, client_secret=secret, **options)

    def test_it_comes_all_the_way(self):
        shapes = [(None, {}), ("S256", {}), ("S256", {"include_client_id": True})]
        for pkce, options in shapes:
            with self.subTest(pkce=pkce, **options):
                session, landed = self.authorize(pkce)
                first = self.redeem(session, landed, **options)
                setting.check_tokens(self, first)
                self.assertEqual(first.scopes, ["transactions"])

                access_token, refresh_token = first["access_token"], first["refresh_token"]
                basic = HTTPBasicAuth(CLIENT_ID, CLIENT_SECRET)
                second = session.refresh_token(self.token, refresh_token=refresh_token, auth=basic)
                self.assertTrue(second["access_token"] == access_token, "the access token changed")

                # The library prepares the request, and leaves sending it to its user.
                url, headers, body = session._client.prepare_token_revocation_request(
                    self.revocation.replace("http:", "https:"), refresh_token, "refresh_token"
                )
                url = url.replace("https:", "http:")
                revoked = session.request(
                    "POST", url, data=body, headers=headers, auth=basic, withhold_token=True
                )
                self.assertEqual(revoked.status_code, 200)
                with self.assertRaises(InvalidGrantError):
                    session.refresh_token(self.token, refresh_token=refresh_token, auth=basic)

    def test_a_wrong_secret_and_a_used_code_are_its_own_errors(self):
        session, landed = self.authorize()
        with self.assertRaises(InvalidClientError) as refused:
            self.redeem(session, landed, WRONG_SECRET)
        self.assertEqual(refused.exception.status_code, 401)
        self.redeem(session, landed)
        with self.assertRaises(InvalidGrantError):
            self.redeem(session, landed)

    def test_an_answer_with_another_state_is_not_taken(self):
        session, _ = self.authorize()
        _, of_somebody_else = self.authorize()
        with self.assertRaises(MismatchingStateError):
            self.redeem(session, of_somebody_else)


if __name__ == "__main__":
    unittest.main()
