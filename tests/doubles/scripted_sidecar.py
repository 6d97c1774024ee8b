"""A sidecar without pictures: a real process that speaks the real HTTP contract, and has the faults a test asks for.

Run as a sidecar is, with the path of a JSON file as its argument. The file may not exist; it is read at every step, so
that a test can change it while the process runs:

``die_on_item``: exits with signal 9 as soon as that item is on air. ``hang``: answers nothing. ``still``: its frames
stand still. ``wrong_epoch``: tells an epoch one too high. ``never_ready``: opens no door. ``exit_at_start``: ends with
that code. ``ignore_term``: SIGTERM and /stop do nothing. ``no_output``: writes no media playlist. ``garbage``: answers
/status with that text. ``refuse_take``: answers a take with that status and code. ``output_down``: tells that its
output is down. ``refuse_outputs``: tells that it holds other outputs, and answers new ones with that status and code;
each time it is asked it adds a line to ``outputs.asked`` beside the file. ``skipped``: a title it tells as skipped.
``never_moves``: armed, it sends no frame. ``undecoded``: the title of what it would begin with, not decoded yet.
"""

import json
import os
import signal
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from sidecar.protocol.asrun import GENESIS, AsRunPage, AsRunRecord, RecordKind, chain_hash, encode_line, whole_lines
from sidecar.protocol.channel import Item, Playlist, SidecarDocument
from sidecar.protocol.commands import ArmCommand, CommandReply, Refusal
from sidecar.protocol.status import ItemNext, ItemOnAir, JournalStatus, Loudness, OutputStatus, SkippedItem, Status
from sidecar.rundown.forecast import advance

ENDLESS = 10**9
Fact: TypeAlias = Any  # a field of a record


class Journal:
    def __init__(self, directory: Path, channel_id: str, run_id: str, epoch: int, rate: str) -> None:
        self.run_id, self.channel_id, self.epoch, self.rate = run_id, channel_id, epoch, rate
        self.records: list[AsRunRecord] = []
        tails = []
        for run in directory.iterdir():
            for segment in sorted(run.glob("*.jsonl")):
                tails += [(record.epoch, record.seq, line) for line, record in whole_lines(segment.read_bytes())]
        self.prev = chain_hash(max(tails)[2]) if tails else GENESIS
        (directory / run_id).mkdir()
        self.file = (directory / run_id / "000001.jsonl").open("ab")

    def write(self, kind: RecordKind, frame: int, **more: Fact) -> None:
        record = AsRunRecord(
            channel_id=self.channel_id, run_id=self.run_id, epoch=self.epoch, seq=len(self.records) + 1, kind=kind,
            frame=frame, wall_ns=time.time_ns(), rate=self.rate, prev=self.prev, **more,
        )  # fmt: skip
        line = encode_line(record)
        self.file.write(line)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.prev = chain_hash(line)
        self.records.append(record)


class Sidecar:
    def __init__(self, faults: Path) -> None:
        self.faults_path = faults
        self.document = msgspec.json.decode(Path(os.environ["MCR_DOCUMENT"]).read_bytes(), type=SidecarDocument)
        self.epoch = int(os.environ["MCR_EPOCH"])
        self.channel_id = os.environ["CHANNEL_ID"]
        self.token = os.environ["MCR_TOKEN"]
        self.rate = Fraction(self.document.format.rate)
        self.run_id = uuid.uuid4().hex
        self.playlist: Playlist = self.document.playlist
        self.lock = threading.RLock()
        self.armed_at: float | None = None
        self.stopping = False
        self.frame = 0
        self.index: int | None = None
        self.item_started = 0
        self.first_frame = 0
        self.airing = 0
        self.cued: str | None = None
        self.hold = False
        self.replies: dict[str, CommandReply] = {}
        self.nonces: dict[str, float] = {}
        self.leased_until: float | None = None
        self.journal = Journal(
            Path(os.environ["MCR_JOURNAL_DIR"]), self.channel_id, self.run_id, self.epoch, self.document.format.rate
        )
        self.journal.write("run_start", 0)
        self.media = Path(os.environ["MCR_MEDIA_ROOT"]) / "live" / self.channel_id

    @property
    def faults(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.faults_path.read_text()))
        except (OSError, ValueError):
            return {}

    @property
    def item(self) -> Item | None:
        return None if self.index is None or not self.playlist.items else self.playlist.items[self.index]

    def clock(self) -> None:
        while True:
            time.sleep(0.02)
            with self.lock:
                self.tick()

    def tick(self) -> None:
        faults = self.faults
        if self.armed_at is None or self.stopping or faults.get("still") or faults.get("never_moves"):
            return
        self.frame = int((time.monotonic() - self.armed_at) * self.rate)
        item = self.item
        if item is not None and faults.get("die_on_item") == item.id:
            os.kill(os.getpid(), signal.SIGKILL)
        if item is not None and not self.hold:
            length = (item.duration_frames or ENDLESS) - self.first_frame
            if self.frame - self.item_started >= length:
                self.cut(self.following(), "ended", self.item_started + length)
        if not faults.get("no_output"):
            self.media.mkdir(parents=True, exist_ok=True)
            written = self.media / f".{self.epoch}.m3u8"
            written.write_text(f"#EXTM3U {self.frame}\n")
            written.replace(self.media / f"{self.epoch}.m3u8")  # as the real one: nobody reads a half

    def following(self) -> int | None:
        if self.index is None or not self.playlist.items:
            return None
        following = self.index + 1
        if following < len(self.playlist.items):
            return following
        return 0 if self.playlist.after_last == "loop" else None

    def cut(self, index: int | None, cause: str, at: int, by: str = "", first: int = 0) -> None:
        if self.armed_at is not None and self.airing:
            if self.item is not None:
                self.end_item(cause, at, by)
            else:
                self.journal.write("filler_end", at, cause=cause, by=by, frames=at - self.item_started)
        self.index, self.item_started, self.first_frame = index, at, first
        self.airing += 1
        item = self.item
        if item is None:
            self.journal.write("filler_start", at, cause=cause, by=by)
        else:
            self.journal.write(
                "item_start", at, cause=cause, by=by, airing=self.airing, item_id=item.id, title=item.title,
                asset_id=item.asset_id, in_frames=first,
            )  # fmt: skip

    def end_item(self, cause: str, at: int, by: str) -> None:
        item = self.item
        assert item is not None
        self.journal.write(
            "item_end", at, cause=cause, by=by, airing=self.airing, item_id=item.id, title=item.title,
            frames=at - self.item_started,
        )  # fmt: skip

    def arm(self, by: str, body: dict[str, Any]) -> None:
        self.armed_at = time.monotonic()
        self.journal.write("on_air", 0, cause="arm", by=by)
        said = msgspec.convert(body, ArmCommand)
        resume = said.resume or self.document.resume
        if said.resume is not None and said.resume_at is not None:
            passed = int((datetime.now(UTC) - said.resume_at).total_seconds() * self.rate)
            resume = advance(self.playlist, said.resume, max(0, passed)) or said.resume
        ids = [item.id for item in self.playlist.items]
        if resume is not None and resume.item_id in ids:
            self.cut(ids.index(resume.item_id), "resume", 0, by, resume.frame)
        else:
            self.cut(0 if ids else None, "arm", 0, by)
        if not self.faults.get("never_moves"):
            self.frame = 1

    def stop(self, by: str) -> None:
        self.stopping = True
        if self.armed_at is not None:
            if self.item is not None:
                self.end_item("stop", self.frame, by)
            else:
                self.journal.write("filler_end", self.frame, cause="stop", frames=self.frame - self.item_started)
        self.journal.write("run_end", self.frame, cause="stop", by=by)
        threading.Timer(0.05, lambda: os._exit(0)).start()

    def status(self) -> Status:
        faults = self.faults
        item, following = self.item, self.following()
        started = self.item_started
        on_air = None
        if item is not None and self.armed_at is not None:
            position = self.frame - started + self.first_frame
            at = datetime.now(UTC).isoformat()
            on_air = ItemOnAir(
                item.id, item.title, self.airing, position, item.duration_frames, started, at, item.asset_id
            )
        coming = None if following is None else self.playlist.items[following]
        nothing = Loudness(None, None, None)
        state = "stopping" if self.stopping else "muted" if self.armed_at is None else "on_air"
        next_ = None if coming is None else ItemNext(coming.id, coming.title, False, True, None)
        if self.armed_at is None and faults.get("undecoded"):
            next_ = ItemNext("x", faults["undecoded"], False, False, None)
        named = faults.get("skipped")
        skipped = (SkippedItem("x", named, "it is broken", datetime.now(UTC).isoformat()),) if named else ()
        return Status(
            channel_id=self.channel_id, epoch=self.epoch + bool(faults.get("wrong_epoch")), run_id=self.run_id,
            pid=os.getpid(), state=state, nonce=self.nonce(), rate=self.document.format.rate, frame=self.frame,
            frames_late=0, frames_skipped=0, picture="filler" if item is None else "item",
            reason="the rundown is empty" if item is None else "", item=on_air,
            next=next_, hold=self.hold,
            playlist_revision=self.playlist.revision, after_last=self.playlist.after_last,
            outputs=tuple(
                OutputStatus(
                    output.id, output.kind, output.role, "down" if faults.get("output_down") else "up",
                    "nobody listens" if faults.get("output_down") else "", 0, self.frame, 0, self.frame // 5,
                ) for output in self.document.outputs
            ),
            loudness=nothing, lease_left_ms=self.lease_left_ms(),
            journal=JournalStatus(self.run_id, len(self.journal.records), None),
            skipped=skipped, at=datetime.now(UTC).isoformat(),
            outputs_digest="of others" if faults.get("refuse_outputs") else "",
        )  # fmt: skip

    def nonce(self) -> str:
        nonce = uuid.uuid4().hex
        self.nonces[nonce] = time.monotonic()
        while len(self.nonces) > 1000:
            del self.nonces[next(iter(self.nonces))]
        return nonce

    def lease_left_ms(self) -> int | None:
        until = self.leased_until
        return None if until is None else max(0, int((until - time.monotonic()) * 1000))

    def command(self, verb: str, body: dict[str, Any]) -> bytes | Refusal:
        if body["epoch"] != self.epoch:
            return Refusal("Stale", 409, "stale_epoch", f"this is epoch {self.epoch}, not {body['epoch']}")
        if body["command_id"] in self.replies:
            return self.telling(verb, self.replies[body["command_id"]])
        if verb not in ("arm", "stop", "playlist", "lease") and self.armed_at is None:
            return Refusal("Muted", 409, "not_armed", "the channel is not on air")
        by, done, ids = body.get("by", ""), verb, [item.id for item in self.playlist.items]
        match verb:
            case "arm":
                self.arm(by, body)
            case "stop":
                if not self.faults.get("ignore_term"):
                    self.stop(by)
            case "lease":
                issued = self.nonces.get(body["nonce"])
                if issued is None:
                    return Refusal("Stale", 409, "stale_nonce", "no nonce of this process")
                self.leased_until = max(self.leased_until or 0.0, issued + body["ttl_ms"] / 1000)
            case "cue":
                if body["item_id"] is not None and body["item_id"] not in ids:
                    return Refusal("No item", 422, "no_such_item", f"no item {body['item_id']}")
                self.cued = body["item_id"]
            case "take" | "skip":
                refusal = self.faults.get("refuse_take")
                if refusal:
                    return Refusal("Refused", refusal[0], refusal[1], "as asked")
                target = ids.index(self.cued) if self.cued else self.following()
                if target is None:
                    return Refusal("Nothing", 409, "nothing_to_take", "nothing comes next")
                expected = body.get("expect_item_id")
                if expected is not None and ids[target] != expected:
                    return Refusal("Changed", 409, "target_changed", f"{ids[target]} would go to air")
                self.cued = None
                self.cut(target, verb, self.frame, by)
                done = f"on air: {self.playlist.items[target].title}"
            case "outputs":
                with self.faults_path.with_name("outputs.asked").open("a") as asked:
                    asked.write(f"{self.playlist.revision}\n")
                status, code = self.faults["refuse_outputs"]
                return Refusal("Refused", status, code, "as asked")
            case "playlist":
                new = msgspec.convert(body["playlist"], Playlist)
                if new.revision < self.playlist.revision:
                    return Refusal("Stale", 409, "stale_revision", f"this holds revision {self.playlist.revision}")
                item, was_empty = self.item, not self.playlist.items
                self.playlist = new
                here = [index for index, it in enumerate(new.items) if item is not None and it.id == item.id]
                self.index = here[0] if here else None
                if was_empty and new.items and self.armed_at is not None:
                    self.cut(0, "arm", self.frame, by)
        frame = self.frame if verb in ("arm", "take", "skip") else None
        item = self.item
        reply = CommandReply(body["command_id"], self.epoch, done, frame, 1.0, item.id if item else None)
        self.replies[body["command_id"]] = reply
        return self.telling(verb, reply)

    def telling(self, verb: str, reply: CommandReply) -> bytes:
        """With its status, as a real one answers from this version on; ``tells_nothing`` is one from before."""
        if verb not in {"lease", "outputs", "stop"} and not self.faults.get("tells_nothing"):
            reply = msgspec.structs.replace(reply, status=self.status())
        return msgspec.json.encode(reply)


def handler_for(sidecar: Sidecar) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            if not self.may():
                return
            path, _, query = self.path.partition("?")
            with sidecar.lock:
                if path == "/status":
                    garbage = sidecar.faults.get("garbage")
                    self.answer(200, garbage.encode() if garbage else msgspec.json.encode(sidecar.status()))
                elif path == "/asrun":
                    asked = dict(part.split("=") for part in query.split("&"))
                    records = [it for it in sidecar.journal.records if it.seq > int(asked["after"])]
                    page = AsRunPage(asked["run"], tuple(records[: int(asked["limit"])]), len(sidecar.journal.records))
                    self.answer(200, msgspec.json.encode(page))
                else:
                    self.answer(200, b"\xff\xd8 a picture")

        def do_POST(self) -> None:
            self.obey(self.path.strip("/"))

        def do_PUT(self) -> None:
            self.obey(self.path.strip("/"))

        def obey(self, verb: str) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if not self.may():
                return
            with sidecar.lock:
                answer = sidecar.command(verb, body)
            if isinstance(answer, Refusal):
                self.answer(answer.status, msgspec.json.encode(answer))
            else:
                self.answer(200, answer)

        def may(self) -> bool:
            while sidecar.faults.get("hang"):
                time.sleep(0.05)
            if self.headers["authorization"] == f"Bearer {sidecar.token}":
                return True
            self.answer(401, msgspec.json.encode(Refusal("Who?", 401, "unauthorized", "wrong token")))
            return False

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] - as it was given


def leash(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os._exit(0)


def main() -> None:
    faults = Path(sys.argv[1])
    sidecar = Sidecar(faults)
    if "exit_at_start" in sidecar.faults:
        sys.stderr.write("no such encoder: h265\n")
        sys.exit(sidecar.faults["exit_at_start"])

    def term(*_: object) -> None:
        if not sidecar.faults.get("ignore_term"):
            sidecar.stop("SIGTERM")

    signal.signal(signal.SIGTERM, term)
    if "MCR_LEASH_FD" in os.environ:
        threading.Thread(target=leash, args=(int(os.environ["MCR_LEASH_FD"]),), daemon=True).start()
    server = Server(("127.0.0.1", 0), handler_for(sidecar))
    while sidecar.faults.get("never_ready"):
        time.sleep(0.05)
    threading.Thread(target=sidecar.clock, daemon=True).start()
    state = Path(os.environ["MCR_STATE_DIR"])
    (state / ".door").write_text(
        json.dumps({"port": server.server_address[1], "pid": os.getpid(), "run_id": sidecar.run_id})
    )
    (state / ".door").rename(state / "door.json")
    server.serve_forever()


if __name__ == "__main__":
    main()
