"""Ids become names of files: only what is safe as one is taken for an id."""


def check_name(name: str) -> None:
    """Raises ValueError for what is no id."""
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"not an id: {name!r}")
