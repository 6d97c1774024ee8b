"""Whether another node reads what a channel will air, by marker files and by the clips themselves. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sidecar.protocol.channel import Playlist, Rate
from sidecar.rundown.rate import parse_rate
from supervisor.decisions.placement import MediaVerdict

_NAMED = 3


def coming_clips(playlist: Playlist, item_id: str | None, rate: Rate, ahead: float) -> tuple[str, ...]:
    """The files of what airs in the next ``ahead`` seconds, from the item on air (None: the first), each once.

    An item without a known length counts as none. A list that loops is gone round once.
    """
    items = playlist.items
    if not items:
        return ()
    first = next((at for at, item in enumerate(items) if item.id == item_id), 0)
    order = (*items[first:], *(items[:first] if playlist.after_last == "loop" else ()))
    left = ahead * float(parse_rate(rate))
    paths: list[str] = []
    for item in order:
        if item.path is not None:
            paths.append(item.path)
        left -= item.duration_frames or 0
        if left <= 0:
            break
    return tuple(dict.fromkeys(paths))


@dataclass(frozen=True, slots=True)
class MediaNeeds:
    """``roots`` are the marked folders above the files, ``homeless`` the first file that lies below none."""

    paths: tuple[str, ...] = ()
    roots: frozenset[str] = frozenset()
    homeless: str | None = None


def needs_of_paths(paths: Sequence[str], roots: Iterable[str]) -> MediaNeeds:
    """Once for a list and a set of roots, not for every node."""
    known = tuple(roots)
    found = [(path, root_of(path, known)) for path in paths]
    homeless = next((path for path, root in found if root is None), None)
    return MediaNeeds(tuple(paths), frozenset(root for _, root in found if root is not None), homeless)


def root_of(path: str, roots: Iterable[str]) -> str | None:
    """The deepest marked folder above a file."""
    return max((root for root in roots if path.startswith(f"{root.rstrip('/')}/")), key=len, default=None)


def media_verdict(
    needs: MediaNeeds, markers: Mapping[str, str], seen: Mapping[str, str | None], missing: Mapping[str, str]
) -> MediaVerdict:
    """Of one node. ``markers`` is what each root is known by, ``seen`` what the node reads in it, ``missing`` why it
    cannot read a file."""
    if needs.homeless is not None:
        folder = PurePosixPath(needs.homeless).parent
        why = f"{needs.homeless} lies below no marked media root: mcr media mark {folder}"
        return MediaVerdict(why, {needs.homeless: "no media root"})
    for root in sorted(needs.roots):
        if seen.get(root) != markers[root]:
            why = "has no marker there" if seen.get(root) is None else "has another folder there"
            return MediaVerdict(f"it does not read the media root {root}: it {why}")
    absent = {path: missing[path] for path in needs.paths if path in missing} if missing else {}
    if not absent:
        return MediaVerdict()
    named = ", ".join(list(absent)[:_NAMED]) + (f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else "")
    return MediaVerdict(f"it cannot read {named}", absent)
