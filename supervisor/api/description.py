"""The OpenAPI document: what FastAPI makes of the routes, with permissions and problem documents."""

from typing import Any, Final

from supervisor.api.permissions import ROUTES, Permission
from supervisor.api.problems import ANSWERS, MEDIA_TYPE
from supervisor.schemas.base import Problem

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a security scheme, each route's permission, and its errors as references to one answer each."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["responses"] = {
        _name(status): {"description": text, "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        for status, text in ANSWERS.items()
    }
    for path in document["paths"].values():
        for operation in path.values():
            _describe(operation)
    return document


def _describe(operation: dict[str, Any]) -> None:
    permission = ROUTES[operation["operationId"]]
    operation["x-permission"] = permission.value
    if permission is Permission.OPEN:
        for status in ("401", "429"):
            operation["responses"].pop(status, None)
    else:
        operation["security"] = [{"token": []}]
    if "requestBody" in operation:
        operation["responses"] |= {"408": {}, "413": {}}
    for status in operation["responses"]:
        if int(status) in ANSWERS:
            operation["responses"][status] = {"$ref": f"#/components/responses/{_name(int(status))}"}


def _name(status: int) -> str:
    return f"Problem{status}"
