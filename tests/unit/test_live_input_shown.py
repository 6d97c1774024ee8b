"""What people are told of a live input: its state where it matters, and never its secrets (P7)."""

from supervisor.api import views
from supervisor.principal import Principal
from supervisor.schemas.playlist import Item

SECRET = "dont-tell-anyone"
LIVE = Item.model_construct(id="i", url=f"srt://10.0.0.7:9000?passphrase={SECRET}")


def seen_by(role: str) -> str | None:
    return views.without_input_secrets(LIVE, Principal(name="p", origin="unix", role=role)).url  # type: ignore[arg-type]


def test_only_who_may_change_a_list_sees_the_passphrase_of_its_inputs() -> None:
    assert seen_by("viewer") == "srt://10.0.0.7:9000"
    assert seen_by("operator") == LIVE.url
