"""Methods of a server, as PlaidCloud's own dispatcher finds them by their paths."""

from plaidcloud.rpc.remote.rpc_common import rpc_method


@rpc_method(required_scope="identity.me.read")
async def scopes(auth_id):
    return sorted(auth_id["scopes"])
