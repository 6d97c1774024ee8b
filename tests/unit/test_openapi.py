"""The API's description is complete, stable, and the one that is checked in."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from supervisor.api.app import create_app
from supervisor.api.permissions import ROUTES, Permission

CHECKED_IN = Path(__file__).parents[2] / "docs" / "openapi.json"
UNDESCRIBED = {"read_openapi", "live_preflight"}
NEVER_CHANGED = {
    "delete_media_root",
    "delete_watched_folder",
    "delete_webhook",
    "delete_instruction",
    "withdraw_project",
}
"""Things that are made and deleted and never changed between, or said anew as a whole: they have no rev to name."""


@cache
def document() -> dict[str, Any]:
    """Not made where this file is only collected, as in every process that runs other tests."""
    return create_app().openapi()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


def test_what_is_checked_in_is_what_is_served() -> None:
    """Make it anew with ``python -m supervisor openapi > docs/openapi.json``."""
    assert json.loads(CHECKED_IN.read_text(encoding="utf-8")) == document()


def test_every_route_is_described_under_its_own_name() -> None:
    described = [operation["operationId"] for _, _, operation in operations()]
    assert len(described) == len(set(described))
    assert set(described) == set(ROUTES) - UNDESCRIBED


def test_every_error_is_described_as_a_problem() -> None:
    for method, path, operation in operations():
        answers = operation["responses"]
        by_all = {"422", "500", "503"}
        if ROUTES[operation["operationId"]] is not Permission.OPEN:
            by_all |= {"401", "403"}
        assert by_all <= set(answers), f"{method} {path}"
        for status, answer in answers.items():
            if int(status) >= 400:
                named = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                schema = named["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, f"{method} {path} {status}"
    assert document()["components"]["schemas"]["Problem"]["required"] == ["title", "status", "code"]


def test_what_names_a_thing_can_miss_it_and_what_changes_one_names_its_rev() -> None:
    for method, path, operation in operations():
        if "{" in path:
            assert "404" in operation["responses"], f"{method} {path}"
        if method in {"patch", "delete"} and operation["operationId"] not in NEVER_CHANGED:
            assert {"409", "428"} <= set(operation["responses"]), f"{method} {path}"
            headers = {parameter["name"].lower() for parameter in operation["parameters"]}
            assert "if-match" in headers, f"{method} {path}"
