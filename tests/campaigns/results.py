"""Results of one state of the code, one a line, so that a campaign that was ended goes on where it was."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / ".campaigns"


class Results:
    """``folder`` is the campaign's own; what other code has left there is taken away."""

    def __init__(self, name: str, code: Iterable[str], *, anew: bool = False) -> None:
        """``code``: the folders below the root that a result depends on."""
        version = _version(code)
        self.folder = FOLDER / name / version
        for other in (FOLDER / name).glob("*"):
            if anew or other.name != version:
                shutil.rmtree(other)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._path = self.folder / "results.jsonl"

    def all(self) -> list[dict[str, Any]]:
        """A line that was cut short by whoever ended it is no result."""
        if not self._path.exists():
            return []
        lines = self._path.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def add(self, result: dict[str, Any]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(result) + "\n")


def _version(code: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for folder in code:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
