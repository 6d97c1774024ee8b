"""``INFO 1`` as 2.5.0 writes it: three blanks a step, elements in alphabetical order, bare line feeds."""

from collections.abc import Mapping
from fractions import Fraction
from xml.sax.saxutils import escape

from tests.doubles.caspar.layers import Layer, Playing, seconds
from tests.doubles.caspar.outputs import Port

Node = Mapping[str, "Node | str | list[str]"]


def channel_xml(form: str, rate: Fraction, layers: Mapping[int, Layer], ports: Mapping[int, Port], now: int) -> str:
    tree = channel_tree(form, rate, layers, ports, now)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + _write({"channel": tree}, 0)


def channel_tree(form: str, rate: Fraction, layers: Mapping[int, Layer], ports: Mapping[int, Port], now: int) -> Node:
    tree: dict[str, Node | str | list[str]] = {
        "format": form, "framerate": [str(rate.numerator), str(rate.denominator)]
    }  # fmt: skip
    if ports:
        listed = {f"port_{number}": _port(port, rate, now) for number, port in sorted(ports.items())}
        tree["output"] = {"port": listed}
    if layers:
        tree["stage"] = {
            "layer": {f"layer_{number}": _layer(layer, rate, now) for number, layer in sorted(layers.items())}
        }
    return tree


def _layer(layer: Layer, rate: Fraction, now: int) -> Node:
    layer.advance(now)
    front, back = layer.foreground, layer.background
    foreground: dict[str, Node | str | list[str]] = {"paused": "false", "producer": "empty"}
    if front is not None:
        foreground = _side(front, rate, now, cued=False)
        foreground["paused"] = str(front.paused).lower()
        left = layer.ticks_left(now)
        if left is not None:
            foreground["frames_left"] = str(left)
    background: dict[str, Node | str | list[str]] = {"producer": "empty"}
    if back is not None:
        background = _side(back, rate, now, cued=True)
    return {"background": background, "foreground": foreground}


def _side(playing: Playing, rate: Fraction, now: int, *, cued: bool) -> dict[str, Node | str | list[str]]:
    clip = playing.clip
    if clip.kind == "colour":
        return {"color": clip.path, "producer": "transition" if cued else "color"}
    if clip.kind == "still":
        return {"file": {"path": clip.path}, "producer": "transition" if cued else "image"}
    never = clip.kind == "dead" or (clip.kind == "live" and not playing.position(now))
    is_closed = cued or never or now < playing.since
    silent = cued or never or (not playing.paused and now <= playing.since)
    length = clip.ticks - playing.in_ if playing.length is None else playing.length
    times = [0, 0] if is_closed else [playing.position(now), clip.ticks]
    lengths = [0, 0] if is_closed else [playing.in_, length]
    if clip.kind == "live":
        lengths = [0, 0]  # it has none, nor has the file
    file: dict[str, Node | str | list[str]] = {
        "clip": [seconds(ticks, rate) for ticks in lengths],
        "name": clip.path.rpartition("/")[2].rpartition(".")[0] or clip.path,
        "path": clip.path,
        "time": [seconds(ticks, rate) for ticks in times],
    }
    side: dict[str, Node | str | list[str]] = {"file": file, "loop": str(playing.loop).lower()}
    if silent:
        side["producer"] = "transition"
        side["transition"] = {
            "direction": "from_left", "frame": ["0", "0"], "producer": "ffmpeg", "type": "cut"
        }  # fmt: skip
    else:
        side["producer"] = "ffmpeg"
        streams: dict[str, Node | str | list[str]] = {
            "streams_0": {"fps": [str(rate.numerator), str(rate.denominator)]}
        }
        if clip.sound:
            streams["streams_1"] = {"fps": ["0", "0"]}
        file["streams"] = {"file": streams}
    return side


def _port(port: Port, rate: Fraction, now: int) -> Node:
    if port.kind == "decklink":
        return {"consumer": "decklink", "decklink": {"index": port.address, "keyer": "external"}}
    return {
        "consumer": "ffmpeg",
        "file": {"fps": f"{float(rate):g}", "frame": str(port.frame(now)), "path": port.address},
    }


def _write(node: Node, depth: int) -> str:
    blanks, written = "   " * depth, ""
    for name, value in sorted(node.items()):
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                written += f"{blanks}<{name}>{escape(one)}</{name}>\n"
            else:
                written += f"{blanks}<{name}>\n{_write(one, depth + 1)}{blanks}</{name}>\n"
    return written
