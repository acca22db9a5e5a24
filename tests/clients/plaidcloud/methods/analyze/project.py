"""Methods of a server, as PlaidCloud's own dispatcher finds them by their paths."""

from plaidcloud.rpc.remote.rpc_common import RPCError, rpc_method


@rpc_method(required_scope="analyze.project.read")
async def project(auth_id, project_id, more=None):
    """Describes one project."""
    return {"id": project_id, "workspace": auth_id["workspace"], "more": more}


@rpc_method(required_scope="analyze.project.write")
async def delete(auth_id, project_id):
    return None


@rpc_method()
async def lookup_by_name(auth_id, name):
    raise RPCError(f"There is no project {name}", data={"name": name}, code=-32099)


@rpc_method()
async def variables(auth_id, project_id):
    raise Warning("The project has no variables")


@rpc_method(default_error="Could not list projects")
def listed(auth_id):
    raise ValueError("unexpected")
