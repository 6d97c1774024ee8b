"""File names and titles from outside: neither need be UTF-8 or fit for a screen; JSON and the database must be."""


def readable(name: str) -> str:
    """The name as it can be shown: bytes that are not UTF-8, for which Python stands surrogates, are spelt out."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode()


def is_text(name: str) -> bool:
    """False for a name that can be shown only in that way, and not be kept."""
    return readable(name) == name


def title_of(text: str) -> str:
    """One line of at most 200 characters without controls; may be empty."""
    return "".join(character if character.isprintable() else " " for character in text).strip()[:200]
