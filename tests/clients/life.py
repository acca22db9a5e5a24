"""The life of an Item, with every error on the way, through Plaid's own library for Python."""

import datetime
import hashlib
import json
import sys
import base64

import plaid
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.accounts_get_request_options import AccountsGetRequestOptions
from plaid.model.auth_get_request import AuthGetRequest
from plaid.model.country_code import CountryCode
from plaid.model.institutions_get_by_id_request import InstitutionsGetByIdRequest
from plaid.model.item_access_token_invalidate_request import ItemAccessTokenInvalidateRequest
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.item_webhook_update_request import ItemWebhookUpdateRequest
from plaid.model.link_token_create_request import LinkTokenCreateRequest
from plaid.model.link_token_create_request_auth import LinkTokenCreateRequestAuth
from plaid.model.link_token_create_request_user import LinkTokenCreateRequestUser
from plaid.model.link_token_get_request import LinkTokenGetRequest
from plaid.model.products import Products
from plaid.model.sandbox_item_fire_webhook_request import SandboxItemFireWebhookRequest
from plaid.model.sandbox_item_reset_login_request import SandboxItemResetLoginRequest
from plaid.model.sandbox_item_set_verification_status_request import SandboxItemSetVerificationStatusRequest
from plaid.model.sandbox_public_token_create_request import SandboxPublicTokenCreateRequest
from plaid.model.sandbox_public_token_create_request_options import SandboxPublicTokenCreateRequestOptions
from plaid.model.user_create_request import UserCreateRequest
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

from models import client
from simulator import CLIENT_ID, SECRET, Receiver, Simulator

OTHER = ("5a11ced0c0ffee0000000002", "another-secret")
UUID = "de3ce8ef-33f8-452c-a685-8671031fc0f6"
seen = []


def refused(status, error_type, error_code, call, request):
    """The call is refused with this, in Plaid's form."""
    try:
        call(request)
    except plaid.ApiException as error:
        body = json.loads(error.body)
        got = (error.status, body["error_type"], body["error_code"])
        assert got == (status, error_type, error_code), f"{got} and not {error_code}: {body['error_message']}"
        keys = ("display_message", "documentation_url", "error_message", "request_id", "suggested_action")
        assert all(key in body for key in keys), body
        seen.append(error_code)
        return
    raise AssertionError(f"not refused with {error_code}")


def fault(simulator, path, status, error_type, error_code):
    order = {"kind": "error", "status": status, "error_type": error_type, "error_code": error_code}
    simulator.control("POST", "/faults", {"path": path, "fault": order})


def public_token(api, institution="ins_109508", product="transactions", **options):
    request = SandboxPublicTokenCreateRequest(
        institution_id=institution,
        initial_products=[Products(product)],
        options=SandboxPublicTokenCreateRequestOptions(**options),
    )
    return api.sandbox_public_token_create(request).public_token


def exchange(api, token):
    return api.item_public_token_exchange(ItemPublicTokenExchangeRequest(public_token=token))


def before_the_item(simulator, api, other):
    """Keys, Link tokens, banks, logins."""
    get = ItemGetRequest(access_token=f"access-sandbox-{UUID}")
    refused(400, "INVALID_INPUT", "INVALID_API_KEYS", client(simulator.url, CLIENT_ID, "wrong").item_get, get)
    refused(400, "INVALID_REQUEST", "INVALID_FIELD", client(simulator.url, "short", SECRET).item_get, get)

    def link(**changes):
        return LinkTokenCreateRequest(
            **{
                "client_name": "Suite",
                "language": "en",
                "country_codes": [CountryCode("US")],
                "user": LinkTokenCreateRequestUser(client_user_id="one"),
                "products": [Products("auth")],
                **changes,
            }
        )

    refused(400, "INVALID_REQUEST", "INVALID_FIELD", api.link_token_create, link(language="xx"))
    personal = LinkTokenCreateRequestUser(client_user_id="a@example.com")
    refused(400, "INVALID_REQUEST", "INVALID_FIELD", api.link_token_create, link(user=personal))
    refused(400, "INVALID_REQUEST", "INVALID_FIELD", api.link_token_create, link(redirect_uri="http://bot.test/"))
    refused(400, "INVALID_INPUT", "INVALID_PRODUCT", api.link_token_create, link(products=[Products("balance")]))
    refused(400, "INVALID_REQUEST", "MISSING_FIELDS", api.link_token_create, link(products=[Products("statements")]))
    token = api.link_token_create(link()).link_token
    get = LinkTokenGetRequest(link_token=token)
    assert api.link_token_get(get).link_token == token
    refused(400, "INVALID_INPUT", "INVALID_LINK_TOKEN", other.link_token_get, get)

    def create(institution, product="transactions", **options):
        return lambda _: public_token(api, institution, product, **options)

    refused(400, "INVALID_INPUT", "INVALID_INSTITUTION", create("ins_0"), None)
    refused(400, "ITEM_ERROR", "PRODUCTS_NOT_SUPPORTED", create("ins_43", "transfer"), None)
    login = {"override_username": "user_good"}
    refused(400, "ITEM_ERROR", "INVALID_CREDENTIALS", create("ins_109508", override_password="no", **login), None)
    locked = create("ins_109508", override_password="error_ITEM_LOCKED", **login)
    refused(400, "ITEM_ERROR", "ITEM_LOCKED", locked, None)
    by_id = InstitutionsGetByIdRequest(institution_id="ins_109508", country_codes=[CountryCode("GB")])
    refused(400, "INVALID_INPUT", "INVALID_INSTITUTION", api.institutions_get_by_id, by_id)
    user = UserCreateRequest(client_user_id="a@example.com")
    refused(400, "INVALID_REQUEST", "INVALID_FIELD", api.user_create, user)


def exchanged(simulator, api, other, webhook):
    """All that can go wrong with a public token, and then what is right."""
    for token in (
        "no token",
        f"access-sandbox-{UUID}",
        f"public-production-{UUID}",
        f"public-sandbox-{UUID}",
    ):
        refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN", lambda one: exchange(api, one), token)
    token = public_token(api)
    refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN", lambda one: exchange(other, one), token)
    simulator.control("POST", "/clock", {"advance_seconds": 30 * 60})
    refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN", lambda one: exchange(api, one), token)
    token = public_token(api, webhook=webhook)
    path = "/item/public_token/exchange"
    fault(simulator, path, 500, "API_ERROR", "INTERNAL_SERVER_ERROR")
    refused(500, "API_ERROR", "INTERNAL_SERVER_ERROR", lambda one: exchange(api, one), token)
    item = exchange(api, token)
    refused(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN", lambda one: exchange(api, one), token)
    simulator.control("POST", "/switches", {"public_token_reuse": "new_token"})
    again = exchange(api, token)
    assert again.item_id == item.item_id and again.access_token != item.access_token
    simulator.control("POST", "/switches", {"public_token_reuse": "single_use"})
    return item


def read(simulator, api, other, access_token):
    """Bad tokens, bad accounts, bad days, too many calls."""
    for token in ("no token", f"public-sandbox-{UUID}", f"access-production-{UUID}", f"access-sandbox-{UUID}"):
        refused(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN", api.accounts_get, AccountsGetRequest(access_token=token))
    good = AccountsGetRequest(access_token=access_token)
    refused(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN", other.accounts_get, good)
    for ids, error in ((["x"], ("INVALID_REQUEST", "INVALID_FIELD")), (["x" * 37], ("INVALID_INPUT", "INVALID_ACCOUNT_ID"))):
        options = AccountsGetRequestOptions(account_ids=ids)
        refused(400, *error, api.accounts_get, AccountsGetRequest(access_token=access_token, options=options))
    for status, error_type, error_code in (
        (400, "INSTITUTION_ERROR", "INSTITUTION_DOWN"),
        (400, "ITEM_ERROR", "PRODUCT_NOT_READY"),
        (429, "RATE_LIMIT_EXCEEDED", "ACCOUNTS_LIMIT"),
        (503, "API_ERROR", "PLANNED_MAINTENANCE"),
    ):
        fault(simulator, "/accounts/get", status, error_type, error_code)
        refused(status, error_type, error_code, api.accounts_get, good)
    assert len(api.accounts_get(good).accounts) == 9
    simulator.control("POST", "/switches", {"rate_limits": True})
    get = ItemGetRequest(access_token=access_token)
    for _ in range(40):
        api.item_get(get)
    refused(429, "RATE_LIMIT_EXCEEDED", "ITEM_GET_LIMIT", api.item_get, get)
    simulator.control("POST", "/switches", {"rate_limits": False})


def link_steps(simulator, link_token):
    """Link's own calls, for one run of it: each gives the pane, or what the step is answered with."""
    session = {"link_token": link_token}

    def step(name, /, **body):
        answer = simulator.control("POST", f"/link/session/{name}", {**session, **body})
        session.setdefault("link_session_id", answer.get("link_session_id"))
        return answer.get("pane", answer)

    return step


def update_mode(simulator, api, access_token):
    """Link as the person sees it: errors, another try, the code that the bank sends; and nothing to exchange after it."""
    request = LinkTokenCreateRequest(
        client_name="Suite",
        language="en",
        country_codes=[CountryCode("US")],
        user=LinkTokenCreateRequestUser(client_user_id="one"),
        access_token=access_token,
    )
    created = api.link_token_create(request)
    lifetime = created.expiration.timestamp() - iso(simulator.control("GET", "/clock")["now"])
    assert 29 * 60 < lifetime <= 30 * 60, lifetime
    step = link_steps(simulator, created.link_token)
    assert step("start")["updating"] is True
    assert step("continue")["view"] == "CREDENTIAL"
    for password, code in (("wrong", "INVALID_CREDENTIALS"), ("error_USER_SETUP_REQUIRED", "USER_SETUP_REQUIRED")):
        pane = step("login", username="user_good", password=password)
        assert pane["error"]["error_code"] == code, pane
        seen.append(code)
        assert step("again")["view"] == "CREDENTIAL"
    assert step("login", username="user_good", password="mfa_device")["mfa_type"] == "device"
    assert step("mfa", answers=["phone"])["mfa_type"] == "code"
    assert step("mfa", answers=["0000"])["problem"]
    seen.append("INVALID_MFA")
    assert step("mfa", answers=["1234"])["view"] == "CONNECTED"
    done = step("finish")
    told = api.link_token_get(LinkTokenGetRequest(link_token=created.link_token)).link_sessions[0]
    assert told.results.item_add_results[0].public_token == done["public_token"]
    names = [event.event_name for event in told.events]
    assert names[0] == "HANDOFF" and names[-1] == "OPEN" and names.count("ERROR") == 3, names


def iso(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def lapsed(simulator, api, item, receiver):
    """A login that is reset, one that lapses, a person who revokes; each with its webhook."""
    access_token = item.access_token
    accounts, get = AccountsGetRequest(access_token=access_token), ItemGetRequest(access_token=access_token)
    api.sandbox_item_reset_login(SandboxItemResetLoginRequest(access_token=access_token))
    refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED", api.accounts_get, accounts)
    assert api.item_get(get).item.error.error_code == "ITEM_LOGIN_REQUIRED"
    headers, body = receiver.wait("ERROR")
    head, payload, _ = headers["plaid-verification"].split(".")
    payload = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert payload["request_body_sha256"] == hashlib.sha256(body).hexdigest()
    assert body.startswith(b'{\n  "')
    kid = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    key = api.webhook_verification_key_get(WebhookVerificationKeyGetRequest(key_id=kid)).key
    assert (key.alg, key.kty, key.expired_at) == ("ES256", "EC", None)
    simulator.control("POST", "/webhook_key", {"action": "rotate"})
    key = api.webhook_verification_key_get(WebhookVerificationKeyGetRequest(key_id=kid)).key
    assert key.expired_at is not None
    unknown = WebhookVerificationKeyGetRequest(key_id=UUID)
    error = "INVALID_WEBHOOK_VERIFICATION_KEY_ID"
    refused(400, "INVALID_INPUT", error, api.webhook_verification_key_get, unknown)

    update_mode(simulator, api, access_token)
    assert api.item_get(get).item.error is None
    api.accounts_get(accounts)
    repair = {"item_id": item.item_id, "action": "repair"}
    simulator.control("POST", "/items", repair)
    receiver.wait("LOGIN_REPAIRED")
    simulator.control("POST", "/items", {"item_id": item.item_id, "action": "end_consent"})
    receiver.wait("PENDING_DISCONNECT")
    simulator.control("POST", "/clock", {"advance_seconds": 7 * 24 * 60 * 60})
    refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED", api.accounts_get, accounts)
    update_mode(simulator, api, access_token)
    api.accounts_get(accounts)
    simulator.control("POST", "/clock", {"advance_seconds": 30 * 24 * 60 * 60})
    refused(400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED", api.accounts_get, accounts)
    simulator.control("POST", "/items", repair)
    simulator.control("POST", "/items", {"item_id": item.item_id, "action": "revoke"})
    receiver.wait("USER_PERMISSION_REVOKED")
    refused(400, "INVALID_INPUT", "USER_PERMISSION_REVOKED", api.accounts_get, accounts)
    simulator.control("POST", "/items", repair)


def ended(api, item, receiver):
    """Webhooks that cannot be fired, a token that is replaced, an Item that is removed."""
    access_token = item.access_token
    fire = SandboxItemFireWebhookRequest(access_token=access_token, webhook_code="PRODUCT_READY")
    refused(400, "SANDBOX_ERROR", "SANDBOX_PRODUCT_NOT_ENABLED", api.sandbox_item_fire_webhook, fire)
    api.item_webhook_update(ItemWebhookUpdateRequest(access_token=access_token, webhook=receiver.url))
    receiver.wait("WEBHOOK_UPDATE_ACKNOWLEDGED")
    api.item_webhook_update(ItemWebhookUpdateRequest(access_token=access_token, webhook=None))
    fire = SandboxItemFireWebhookRequest(access_token=access_token, webhook_code="SYNC_UPDATES_AVAILABLE")
    refused(400, "SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID", api.sandbox_item_fire_webhook, fire)
    invalidate = ItemAccessTokenInvalidateRequest(access_token=access_token)
    new = api.item_access_token_invalidate(invalidate).new_access_token
    get = ItemGetRequest(access_token=access_token)
    refused(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN", api.item_get, get)
    api.item_remove(ItemRemoveRequest(access_token=new))
    refused(400, "ITEM_ERROR", "ITEM_NOT_FOUND", api.item_get, ItemGetRequest(access_token=new))
    refused(400, "ITEM_ERROR", "ITEM_NOT_FOUND", api.item_remove, ItemRemoveRequest(access_token=new))


def deposits(simulator, api, receiver):
    """Micro-deposits: numbers that are typed, wait, and are verified by themselves, by order or by a code."""

    def link_token(flags=None, **changes):
        request = {
            "client_name": "Suite",
            "language": "en",
            "country_codes": [CountryCode("US")],
            "user": LinkTokenCreateRequestUser(client_user_id="one"),
            **({"products": [Products("auth")], "auth": LinkTokenCreateRequestAuth(**flags)} if flags else {}),
            **changes,
        }
        return api.link_token_create(LinkTokenCreateRequest(**request)).link_token

    def account(access_token):
        (only,) = api.accounts_get(AccountsGetRequest(access_token=access_token)).accounts
        return only

    def item(access_token):
        return api.item_get(ItemGetRequest(access_token=access_token)).item

    def typed(routing):
        numbers = {"routing_number": routing, "account_number": "1111222233330000"}
        return {**numbers, "name": "Alberta Charleson", "subtype": "checking"}

    # Automated, through Link's own calls.
    token = link_token({"automated_microdeposits_enabled": True}, webhook=receiver.url)
    step = link_steps(simulator, token)
    step("start")
    step("continue")
    step("select", institution_id="ins_109512")
    offered = step("login", username="user_good", password="microdeposits_good")["accounts"]
    assert step("accounts", account_ids=[offered[0]["id"]])["view"] == "NUMBERS"
    assert step("numbers", **typed("021000021"))["view"] == "CONNECTED"
    step("finish")
    added = api.link_token_get(LinkTokenGetRequest(link_token=token)).link_sessions[0].results.item_add_results[0]
    assert added.accounts[0].verification_status == "pending_automatic_verification"
    automated = exchange(api, added.public_token).access_token
    assert str(item(automated).auth_method) == "AUTOMATED_MICRODEPOSITS"
    auth = AuthGetRequest(access_token=automated)
    refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY", api.auth_get, auth)
    order = {"access_token": automated, "account_id": account(automated).account_id}
    expired = SandboxItemSetVerificationStatusRequest(**order, verification_status="verification_expired")
    api.sandbox_item_set_verification_status(expired)
    receiver.wait("VERIFICATION_EXPIRED")
    refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY", api.auth_get, auth)
    verified = SandboxItemSetVerificationStatusRequest(**order, verification_status="automatically_verified")
    api.sandbox_item_set_verification_status(verified)
    receiver.wait("AUTOMATICALLY_VERIFIED")
    told = api.auth_get(auth)
    assert [(one.account, one.routing) for one in told.numbers.ach] == [("1111222233330000", "021000021")]
    assert told.accounts[0].verification_status == "automatically_verified"

    # Automated, without Link, and found after a day.
    login = {"override_username": "user_good", "override_password": "microdeposits_good"}
    waiting = exchange(api, public_token(api, "ins_109512", "auth", **login)).access_token
    refused(400, "ITEM_ERROR", "PRODUCT_NOT_READY", api.auth_get, AuthGetRequest(access_token=waiting))
    simulator.control("POST", "/clock", {"advance_seconds": 24 * 60 * 60})
    assert api.auth_get(AuthGetRequest(access_token=waiting)).numbers.ach
    assert account(waiting).verification_status == "automatically_verified"

    # Same-day: no bank, and the code in update mode.
    step = link_steps(simulator, link_token({"same_day_microdeposits_enabled": True}))
    step("start")
    assert step("continue")["manual"] is True
    assert step("manual")["view"] == "NUMBERS"
    step("numbers", **typed("110000000"))
    done = step("finish")
    assert done["metadata"]["institution"] is None
    same_day = exchange(api, done["public_token"]).access_token
    told = item(same_day)
    assert (told.institution_id, str(told.auth_method)) == (None, "SAME_DAY_MICRODEPOSITS")
    assert account(same_day).verification_status == "pending_manual_verification"
    step = link_steps(simulator, link_token(access_token=same_day))
    assert step("start")["asks_code"] is True
    assert step("deposit_code", code="XYZ")["problem"]
    seen.append("INCORRECT_DEPOSIT_VERIFICATION")
    step("deposit_code", code="ABC")
    assert step("finish")["metadata"]["accounts"][0]["verification_status"] == "manually_verified"
    assert api.auth_get(AuthGetRequest(access_token=same_day)).numbers.ach[0].routing == "110000000"

    # Instant: the code at once.
    step = link_steps(simulator, link_token({"instant_microdeposits_enabled": True}))
    step("start")
    step("continue")
    step("select", institution_id="ins_135858")
    assert step("numbers", **typed("333333334"))["asks_code"] is True
    step("deposit_code", code="ABC")
    instant = exchange(api, step("finish")["public_token"]).access_token
    assert str(item(instant).auth_method) == "INSTANT_MICRODEPOSITS"
    assert account(instant).verification_status == "manually_verified"


def main():
    simulator, receiver = Simulator("--key", ":".join(OTHER)), Receiver()
    try:
        api, other = client(simulator.url, CLIENT_ID, SECRET), client(simulator.url, *OTHER)
        before_the_item(simulator, api, other)
        item = exchanged(simulator, api, other, receiver.url)
        read(simulator, api, other, item.access_token)
        lapsed(simulator, api, item, receiver)
        ended(api, item, receiver)
        deposits(simulator, api, receiver)
    finally:
        simulator.stop()
        receiver.stop()
    print(f"life: {len(seen)} errors on the way, {len(set(seen))} different ones")
    print(f"{len(seen)} passed, 0 failed, 0 skipped")


if __name__ == "__main__":
    sys.exit(main())
