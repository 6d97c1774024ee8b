"""A command that was not done, in a line."""

from supervisor.schemas.explanation import Refused


def refusal_words(one: Refused) -> str:
    """``take by ann, 409 controlled: olga has control of it``."""
    answer = f"{one.status} {one.code}".strip() if one.status is not None else one.code
    what = f"{one.action.replace('_', ' ').removesuffix(' channel')} by {one.by}"
    return ", ".join(part for part in (what, answer) if part) + (f": {one.why}" if one.why else "")
