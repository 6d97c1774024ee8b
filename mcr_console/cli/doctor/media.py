"""What FFmpeg's libraries can do here. Asked in another process: libraries that crash then cost an answer."""

import json
import subprocess
import sys
from typing import Final, cast

from mcr_console.cli.doctor.finding import Finding

_DEADLINE_S: Final = 20.0

_QUESTION: Final = """
import json, av
from PIL import features

def can(kind, name):
    try:
        av.Codec(name, kind)
    except Exception:  # whatever it is: this machine cannot
        return False
    return True

def has_srt():
    try:
        av.open("srt://127.0.0.1:9?connect_timeout=100", timeout=2.0).close()
    except av.ProtocolNotFoundError:
        return False
    except (av.FFmpegError, OSError):
        return True
    return True

print(json.dumps({
    "version": av.__version__,
    "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
    "encoders": {name: can("w", name) for name in ("libx264", "aac")},
    "decoders": {name: can("r", name) for name in (
        "h264", "hevc", "mpeg2video", "mpeg4", "vp9", "libdav1d", "av1", "prores", "dnxhd", "aac", "mp2", "ac3", "opus",
        "pcm_s16le",
    )},
    "srt": has_srt(),
    "fonts": features.check("freetype2"),
}))
"""


def media() -> list[Finding]:
    try:
        answer = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-P", "-c", _QUESTION], capture_output=True, text=True, timeout=_DEADLINE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [Finding("missing", "PyAV", f"did not answer: {error}", "Install it again: make setup")]
    if answer.returncode:
        said = (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
        return [Finding("missing", "PyAV", f"cannot be used: {said}", "Install it again: make setup")]
    return findings(json.loads(answer.stdout))


def findings(seen: dict[str, object]) -> list[Finding]:
    """What the answer of the other process means."""
    encoders, decoders = _names(seen["encoders"]), _names(seen["decoders"])
    found = [Finding("ok", "PyAV", f"{seen['version']} with libavcodec {seen['libavcodec']}")]
    lacking = [name for name, there in encoders.items() if not there]
    if lacking:
        advice = "Use the PyAV wheel of the locked requirements: make setup"
        found.append(Finding("missing", "encoders", f"no {', '.join(lacking)}", advice))
    else:
        found.append(Finding("ok", "encoders", ", ".join(encoders)))
    if decoders.get("libdav1d") or decoders.get("av1"):
        decoders = {name: there for name, there in decoders.items() if name not in ("libdav1d", "av1")} | {"av1": True}
    readable = ", ".join(name for name, there in decoders.items() if there)
    unreadable = ", ".join(name for name, there in decoders.items() if not there)
    found.append(
        Finding("note", "decoders", f"{readable}; not {unreadable}", "Files of the others air as filler.")
        if unreadable
        else Finding("ok", "decoders", readable)
    )
    found.append(
        Finding("ok", "SRT", "these libraries have it")
        if seen["srt"]
        else Finding("note", "SRT", "these libraries have none", "Needed for SRT outputs only.")
    )
    found.append(
        Finding("ok", "fonts", "slates can be lettered")
        if seen["fonts"]
        else Finding("missing", "fonts", "Pillow has no FreeType", "Use the Pillow wheel: make setup")
    )
    return found


def _names(value: object) -> dict[str, bool]:
    if not isinstance(value, dict):
        raise TypeError("the answer has no table of codecs")
    return {str(name): bool(there) for name, there in cast("dict[object, object]", value).items()}
