"""What Plaid's own library says about requests and answers: its models are the judges here."""

import datetime

import plaid
from plaid.api.plaid_api import PlaidApi
from plaid.model_utils import ModelComposed, ModelNormal, ModelSimple, validate_and_convert_types

import inspect

# Where the library's name of a call is not made of its path.
NAMES = {"/payment_initiation/payment/token/create": "create_payment_token"}


def client(url, client_id, secret):
    """Plaid's client, unmodified but for the base URL."""
    configuration = plaid.Configuration(
        host=url, api_key={"clientId": client_id, "secret": secret, "plaidVersion": "2020-09-14"}
    )
    return PlaidApi(plaid.ApiClient(configuration))


def method(path):
    return NAMES.get(path, path.strip("/").replace("/", "_"))


def request_model(api, path):
    endpoint = getattr(api, method(path) + "_endpoint")
    return next(types[0] for types in endpoint.openapi_types.values())


def request(api, path, body):
    """The typed request of a JSON body: the library refuses what it thinks is wrong."""
    configuration = api.api_client.configuration
    return validate_and_convert_types(body, (request_model(api, path),), ["body"], True, True, configuration)


class Field:
    """One field of a request, as the library declares it."""

    def __init__(self, model, attribute, types):
        self.name = model.attribute_map[attribute]
        self.required = attribute in required(model)
        self.nullable = any(kind is type(None) for kind in types)
        self.limits = model.validations.get((attribute,), {})
        self.words = list(model.allowed_values.get((attribute,), {}).values())
        # The library writes a field of no declared type so; its users may send anything.
        self.any = len(types) > 3
        declared = types[0]
        self.is_list = isinstance(declared, list)
        self.type = declared[0] if self.is_list else declared
        self.fields = []
        if isinstance(self.type, type) and issubclass(self.type, ModelSimple):
            self.words = list(self.type.allowed_values.get(("value",), {}).values())
            self.nullable = self.nullable or None in self.words
            self.limits = self.type.validations.get(("value",), {})
            self.type = str
        elif isinstance(self.type, type) and issubclass(self.type, ModelComposed):
            # In requests only texts that may be null are written so.
            self.type = str
        elif isinstance(self.type, type) and issubclass(self.type, ModelNormal):
            self.fields = fields_of(self.type)
            self.nullable = self.nullable or getattr(self.type, "_nullable", False)

    def sample(self, samples, path):
        """A value that is right in form."""
        if path in samples:
            return samples[path]
        if self.fields:
            one = {f.name: f.sample(samples, f"{path}.{f.name}") for f in self.fields if f.required}
        elif self.words:
            one = next(word for word in self.words if word is not None)
        elif self.type is bool:
            one = True
        elif self.type is int:
            one = self.limits.get("inclusive_minimum", 1)
        elif self.type is float:
            one = 1.5
        elif self.type is datetime.date:
            one = "2026-01-31"
        elif self.type is datetime.datetime:
            one = "2026-01-31T00:00:00Z"
        elif self.type is str:
            one = "x" * max(1, self.limits.get("min_length", 1))
        else:
            one = {}
        return [one] if self.is_list else one

    def mistyped(self):
        """A value of another type than the declared one."""
        text = self.type in (str, datetime.date, datetime.datetime) and not self.is_list
        return 12345 if text else "not of this type"


def required(model):
    parameters = inspect.signature(model.__init__).parameters.values()
    return {p.name for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD and p.default is p.empty} - {"self"}


def fields_of(model):
    types = model.openapi_types
    return [Field(model, name, kinds) for name, kinds in types.items() if name not in ("client_id", "secret")]


def undeclared(answer, path=""):
    """Fields of an answer that the library does not know of."""
    found = []
    if isinstance(answer, (ModelNormal, ModelComposed)):
        for name, value in answer._data_store.items():
            where = f"{path}.{name}" if path else name
            if name not in answer.openapi_types:
                found.append(where)
            else:
                found += undeclared(value, where)
    elif isinstance(answer, list):
        for value in answer:
            found += undeclared(value, path + "[]")
    return sorted(set(found))
