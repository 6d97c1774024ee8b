"""The server's TCP side: lines in, replies out, one queue a channel and a general one."""

import asyncio
import socket
from collections.abc import Callable
from fractions import Fraction
from typing import Self

from tests.doubles.caspar.layers import Clip, Layer, Library, Playing
from tests.doubles.caspar.manners import Manners
from tests.doubles.caspar.osc import channel_bundles, channel_tree
from tests.doubles.caspar.outputs import Outputs
from tests.doubles.caspar.tokens import number_after, tokens, transition_ticks
from tests.doubles.caspar.xml import channel_xml

VERSION = "2.5.0 69e8ad552 Stable"
_PARSED_AT_ONCE = 400


class NoReply(Exception):
    """The command was done, or not, and nothing is said."""


class FakeCaspar:
    """One channel, ``1``. ``clock`` in seconds; a tick is ``1 / rate``.

    ``received`` are all lines as they came, ``layers`` and ``outputs`` the state that tests look at.
    """

    def __init__(
        self, library: Library, clock: Callable[[], float], *, form: str = "720p2500", rate: Fraction = Fraction(25),
        manners: Manners | None = None, version: str = VERSION, port: int = 0,
    ) -> None:  # fmt: skip
        self.manners = manners or Manners()
        self.rate = rate
        self.form = form
        self.layers: dict[int, Layer] = {}
        self.outputs = Outputs(self.manners)
        self.received: list[str] = []
        self.heard = asyncio.Event()
        self._library = library
        self._clock = clock
        self._began = clock()
        self._stood = 0
        self.mixer: dict[tuple[int, str], str] = {}
        """By layer and ``FILL``, ``OPACITY`` or ``VOLUME``; what is not there is as it was made."""
        self.history: dict[int, list[Layer]] = {}
        """Layers that were cleared."""
        self.subscribed: set[int] = set()
        """Ports on this machine to which ``tell_osc`` sends."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.killed = False
        self.restarts = False
        self.on_end: Callable[[], None] = lambda: None
        self.version = version
        self.is_old = version.startswith("2.3")
        """From its source: names below the media folder alone, a reply to every CALL, no OSC to who asks for it."""
        self.media = "/media/"
        self._port = port

    @property
    def now(self) -> int:
        """Ticks since the start."""
        if not self.manners.time_stands:
            self._stood = int((self._clock() - self._began) * self.rate)
        return self._stood

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop()
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await self._server.wait_closed()

    def drop(self) -> None:
        """Closes every connection; playback goes on."""
        for writer in self._writers:
            writer.close()

    def layer(self, number: int) -> Layer:
        return self.layers.setdefault(number, Layer(self.manners))

    # --- the wire ---------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        session = Session(self, writer)
        rest = b""
        try:
            while data := await reader.read(65536):
                *lines, rest = (rest + data).split(b"\r\n")
                for one in lines:
                    # What is no UTF-8 is left out.
                    if not session.take(one.decode(errors="ignore")):
                        return
        except ConnectionError:
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def later(self, delay: float, write: Callable[[], None]) -> None:
        async def wait() -> None:
            await asyncio.sleep(delay)
            write()

        task = asyncio.create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- commands ---------------------------------------------------------------------------------------------------

    def do(self, words: list[str], text: str) -> str:
        """The reply with its line ends, without ``RES``. Raises NoReply."""
        bad = f"400 ERROR\r\n{text}\r\n"
        name, parameters = words[0].upper(), words[1:]
        if name == "VERSION":
            return f"201 VERSION OK\r\n{self.version}\r\n"
        if name == "INFO":
            return self._info(parameters)
        if name in ("KILL", "RESTART"):
            self.killed, self.restarts = True, name == "RESTART"
            self.on_end()
            return f"202 {name} OK\r\n"
        if name == "OSC":
            return self._osc(parameters, bad)
        if name in ("CLS", "TLS", "FLS", "CINF"):
            return f"501 {name} FAILED\r\n"
        if name == "SET":
            return self._set(parameters, bad)
        if not parameters:
            return bad
        channel, _, rest = parameters[0].partition("-")
        if name == "CLEAR" and channel.upper() == "ALL":
            self.layers.clear()
            return "202 CLEAR ALL OK\r\n"
        if channel != "1":
            return bad
        if name in ("ADD", "REMOVE"):
            number = int(rest) if rest.isdigit() else None
            if name == "ADD" and len(parameters) < 2:
                return bad
            change = self.outputs.add if name == "ADD" else self.outputs.remove
            return change(number, parameters[1:], self.now) + "\r\n"
        if name == "CLEAR":
            for number in [int(rest)] if rest.isdigit() else list(self.layers):
                self.layer(number).stop(self.now)
                self.layer(number).background = None
                self.cleared(number)
            return "202 CLEAR OK\r\n"
        number = int(rest) if rest.isdigit() and len(rest) < 9 else 0
        if name == "SWAP":
            return self._swap(number, parameters[1:], bad)
        if name == "MIXER":
            return self._mixer(number, parameters[1:], bad)
        if name in ("PLAY", "LOADBG", "LOAD", "PAUSE", "RESUME", "STOP", "CALL"):
            return self._layer(name, number, parameters[1:], bad)
        return bad

    def _swap(self, number: int, parameters: list[str], bad: str) -> str:
        """Of layers of this one channel."""
        if not parameters:
            return bad
        channel, _, other = parameters[0].partition("-")
        if channel != "1" or not other.isdigit():
            return "402 SWAP FAILED\r\n"
        self.layer(number).swap(self.now, self.layer(int(other)))
        return "202 SWAP OK\r\n"

    def cleared(self, number: int) -> None:
        """The layer goes from INFO; what aired on it is still known."""
        gone = self.layers.pop(number, None)
        if gone is not None:
            self.history.setdefault(number, []).append(gone)

    def _layer(self, name: str, number: int, parameters: list[str], bad: str) -> str:
        now, layer = self.now, self.layer(number)
        layer.advance(now)
        front = layer.foreground
        if name == "CALL":
            return self._call(layer, parameters, bad)
        if name == "PAUSE":
            if front is not None:
                front.hold(now, paused=True)
        elif name == "RESUME":
            if front is not None:
                front.hold(now, paused=False)
        elif name == "STOP":
            layer.stop(now)
        elif name == "PLAY" and not parameters:
            layer.play(now, None)
        else:
            if not parameters:
                return bad
            try:
                what = self._open(parameters)
            except ValueError:
                return f"403 {name} FAILED\r\n"
            if what is None:
                return f"404 {name} FAILED\r\n"
            if name == "PLAY":
                what.auto = False
                layer.play(now, what)
            elif name == "LOAD":
                layer.load(now, what)
            else:
                layer.cue(now, what)
        return f"202 {name} OK\r\n"

    def _open(self, parameters: list[str]) -> Playing | None:
        """Raises ValueError for a number that is none."""
        upper = [parameter.upper() for parameter in parameters]
        name = parameters[0]
        clip = Clip(name, kind="colour") if upper[0] == "EMPTY" or name.startswith("#") else self._find(name)
        seek, in_ = number_after(parameters, "SEEK"), number_after(parameters, "IN")
        length, out = number_after(parameters, "LENGTH"), number_after(parameters, "OUT")
        if clip is None:
            return None
        first = in_ if in_ is not None else (seek or 0)
        at = seek if seek is not None else first
        if out is not None:
            length = out - first
        return Playing(
            clip, max(0, at), max(0, first), length, loop="LOOP" in upper, auto="AUTO" in upper,
            transition=transition_ticks(parameters),
        )  # fmt: skip

    def _find(self, name: str) -> Clip | None:
        if "://" in name:
            return self._library(name)
        if name.startswith("/"):
            return None if self.is_old else self._library(name)
        return self._library(self.media + name) or self._library(name)

    def _call(self, layer: Layer, parameters: list[str], bad: str) -> str:
        if not parameters:
            return bad
        front, verb = layer.foreground, parameters[0].upper()
        if front is None:
            return "202 CALL OK\r\n"
        value = parameters[1] if len(parameters) > 1 else None
        if front.clip.kind != "file" or verb not in ("SEEK", "LOOP", "IN", "OUT", "LENGTH"):
            return self._unanswered()
        if verb == "SEEK":
            if value is None or not value.lstrip("-").isdigit():
                return self._unanswered()
            front.at, front.since = int(value), self.now
            return f"201 CALL OK\r\n{int(value)}\r\n"
        if verb == "LOOP":
            if value is not None:
                front.at, front.since, front.loop = front.position(self.now), self.now, value == "1"
            return f"201 CALL OK\r\n{int(front.loop)}\r\n"
        if value is not None and value.isdigit():
            if verb == "IN":
                front.in_ = int(value)
            else:
                front.length = int(value) - (front.in_ if verb == "OUT" else 0)
        told = {"IN": front.in_, "OUT": front.end, "LENGTH": (front.end or 0) - front.in_}[verb]
        return f"201 CALL OK\r\n{told}\r\n"

    def _osc(self, parameters: list[str], bad: str) -> str:
        if self.is_old or len(parameters) < 2 or not parameters[1].isdigit():
            return bad
        if parameters[0].upper() == "SUBSCRIBE":
            self.subscribed.add(int(parameters[1]))
        else:
            self.subscribed.discard(int(parameters[1]))
        return f"202 OSC {parameters[0].upper()} OK\r\n"

    async def tell_osc_by_the_tick(self) -> None:
        """Until cancelled."""
        told = -1
        while True:
            if self.subscribed and self.now != told:
                told = self.now
                self.tell_osc()
            await asyncio.sleep(0.001)

    def tell_osc(self) -> None:
        """This tick's bundle, to everyone who asked on this machine."""
        if self.manners.no_osc:
            return
        self.outputs.advance(self.now)
        tree = channel_tree(self.form, self.rate, self.layers, self.outputs.ports, self.now)
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.1", 0))
            # The next one's beginning says that this one is whole.
            for bundle in [*channel_bundles(1, tree, 2 * self.now), *channel_bundles(1, tree, 2 * self.now + 1)]:
                for port in self.subscribed:
                    sender.sendto(bundle, ("127.0.0.1", port))

    def _unanswered(self) -> str:
        if self.is_old:
            return "501 CALL FAILED\r\n"
        raise NoReply

    def _info(self, parameters: list[str]) -> str:
        if parameters and parameters[0].upper() == "PATHS":
            paths = f"<paths>\n   <media-path>{self.media}</media-path>\n</paths>\n"
            return f'201 INFO PATHS OK\r\n<?xml version="1.0" encoding="utf-8"?>\n{paths}\r\n'
        if parameters and parameters[0].partition("-")[0] == "1":
            self.outputs.advance(self.now)
            text = channel_xml(self.form, self.rate, self.layers, self.outputs.ports, self.now)
            return f"201 INFO OK\r\n{text}\r\n"
        return f"200 INFO OK\r\n1 {self.form} PLAYING\r\n\r\n"

    def _set(self, parameters: list[str], bad: str) -> str:
        if len(parameters) < 3 or parameters[0] != "1":
            return bad
        if parameters[1].upper() != "MODE" or parameters[2].lower() not in (self.form.lower(), "1080p2500"):
            return "403 SET FAILED\r\n"
        for number in list(self.layers):
            self.cleared(number)
        self.form = parameters[2]
        return "202 SET MODE OK\r\n"

    def _mixer(self, number: int, parameters: list[str], bad: str) -> str:
        if not parameters or parameters[0].upper() not in ("VOLUME", "OPACITY", "FILL", "CLEAR"):
            return bad
        verb = parameters[0].upper()
        if verb == "CLEAR":
            self.mixer = {key: value for key, value in self.mixer.items() if key[0] != number}
            return "202 MIXER OK\r\n"
        values = parameters[1 : 5 if verb == "FILL" else 2]
        if not values:
            return f"201 MIXER OK\r\n{self.mixer.get((number, verb), '0 0 1 1' if verb == 'FILL' else '1')}\r\n"
        try:
            for value in values:
                float(value)
        except ValueError:
            return f"501 MIXER {verb} FAILED\r\n"
        if verb == "FILL" and len(values) < 4:
            return "402 MIXER FILL FAILED\r\n"
        self.mixer[number, verb] = " ".join(values)
        return "202 MIXER OK\r\n"


class Session:
    """One connection's lines and its batch."""

    def __init__(self, server: FakeCaspar, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._writer = writer
        self._batch: list[tuple[list[str], str, str]] | None = None
        self._batch_id = ""
        self._count = 0

    def take(self, text: str) -> bool:
        """Whether the connection goes on."""
        server = self._server
        server.received.append(text)
        server.heard.set()
        self._count += 1
        if server.manners.close_after is not None and self._count > server.manners.close_after:
            return False
        if server.manners.deaf:
            return True
        words = tokens(text)
        if words and words[0].startswith("/"):
            words = words[1:]
        if words and words[0].upper() == "BYE":
            return False
        prefix = ""
        if words and words[0].upper() == "REQ":
            if len(words) < 2:
                self._say("402  ERROR\r\n")
                return True
            prefix, words = f"RES {words[1]} ", words[2:]
        elif words and words[0].upper() == "PING":
            self._say("PONG" + text[4:] + "\r\n")
            return True
        self._command(prefix, words, text)
        return True

    def _command(self, prefix: str, words: list[str], text: str) -> None:
        name = words[0].upper() if words else ""
        if words and not words[0]:
            self._say(f"{prefix}401  ERROR\r\n")
        elif name == "BEGIN" and self._batch is None:
            self._batch, self._batch_id = [], prefix
        elif name in ("COMMIT", "DISCARD") and self._batch is not None:
            batch, self._batch = self._batch, None
            if name == "COMMIT":
                for one_prefix, one_words, one_text in [(p, w, t) for w, p, t in batch]:
                    self._run(one_prefix, one_words, one_text)
                if len(batch) > 1:
                    self._say(f"{self._batch_id}202 COMMIT OK\r\n")
        elif not words or name in ("PING", "BEGIN", "COMMIT", "DISCARD"):
            self._say(f"{prefix}400 ERROR\r\n{text}\r\n")
        elif self._batch is not None:
            self._batch.append((words, prefix, text))
        else:
            self._run(prefix, words, text)

    def _run(self, prefix: str, words: list[str], text: str) -> None:
        server, name = self._server, words[0].upper()
        of_channel = name not in ("VERSION", "INFO", "CLS", "TLS", "FLS", "CINF", "KILL", "RESTART", "OSC")
        if server.manners.queue_full and of_channel:
            self._say(f"{prefix}504 QUEUE OVERFLOW\r\n")
            return
        try:
            reply = server.do(words, text)
        except NoReply:
            return
        if name in server.manners.silent_commands:
            return
        delay = server.manners.channel_delay_s if of_channel else server.manners.info_delay_s * (name == "INFO")
        if delay and not reply.startswith(str(_PARSED_AT_ONCE)):
            server.later(delay, lambda: self._say(prefix + reply))
        else:
            self._say(prefix + reply)

    def _say(self, reply: str) -> None:
        data = reply.encode()
        if self._writer.is_closing():
            return
        if self._server.manners.in_pieces:
            for at in range(len(data)):
                self._writer.write(data[at : at + 1])
        else:
            self._writer.write(data)
