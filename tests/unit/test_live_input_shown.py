"""What people are told of a live input: its state where it matters, and never its secrets (P7)."""

from supervisor.api import views
from supervisor.principal import Principal, Role
from supervisor.schemas.playlist import Item

SECRET = "dont-tell-anyone"
URL = f"srt://10.0.0.7:9000?passphrase={SECRET}"
LIVE = Item.model_construct(id="i", url=URL, title=f"From {URL}")


def seen_by(role: Role, edits: frozenset[str] = frozenset({"q"})) -> tuple[str | None, str]:
    """Its url and its title."""
    who = Principal(name="p", origin="unix", role=role, projects=frozenset({"q"}), edits=edits)
    shown = views.without_input_secrets(LIVE, who, "q")
    return shown.url, shown.title


def test_only_who_may_change_a_list_sees_the_passphrase_of_its_inputs() -> None:
    assert seen_by("viewer") == ("srt://10.0.0.7:9000", "From srt://10.0.0.7:9000")
    assert seen_by("operator", frozenset()) == ("srt://10.0.0.7:9000", "From srt://10.0.0.7:9000")
    assert seen_by("operator") == (LIVE.url, LIVE.title)
