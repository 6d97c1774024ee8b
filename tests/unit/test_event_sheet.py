"""What is written about events is what the code has."""

from pathlib import Path
from typing import get_args

from supervisor.api.event_sheet import WHEN, sheet
from supervisor.schemas.event import PAYLOADS, EventName

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def test_the_page_is_made_from_the_events_themselves() -> None:
    """Make it anew with ``make events``."""
    assert PAGE.read_text(encoding="utf-8") == sheet()


def test_every_type_of_event_has_a_payload_and_is_explained() -> None:
    names = get_args(EventName)
    assert list(PAYLOADS) == list(names) == list(WHEN)
    page = sheet()
    for name, payload in PAYLOADS.items():
        assert f"### `{name}`" in page
        for field in payload.model_fields:
            assert f"| `{field}` |" in page, f"{name}.{field}"
