"""Takes an MPEG transport stream apart as a headend does: tables, clock, rate, buffers (ISO/IEC 13818-1, EN 300 468).

Reads packets and nothing else: no demuxer that would forgive what a receiver does not.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

PACKET = 188
NULL_PID = 0x1FFF
PCR_HZ = 27_000_000
_PCR_RANGE = (1 << 33) * 300
_SDT_PID = 0x11
_SERVICE_DESCRIPTOR = 0x48


@dataclass(frozen=True, slots=True)
class Clock:
    """A program clock reference: ``at`` counts packets, ``ticks`` 27 MHz without the wrap."""

    at: int
    ticks: int
    pid: int
    discontinuity: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """One PES packet. ``begin`` and ``end`` count packets; ``dts`` in 90 kHz ticks; ``data`` its elementary stream."""

    pid: int
    begin: int
    end: int
    pts: int
    dts: int
    random_access: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Section:
    at: int
    body: bytes
    """Without its CRC."""


@dataclass(slots=True)
class Taken:
    """What was found. ``faults`` names what no receiver takes."""

    packets: int = 0
    nulls: int = 0
    faults: list[str] = field(default_factory=list[str])
    clocks: list[Clock] = field(default_factory=list[Clock])
    units: list[Unit] = field(default_factory=list[Unit])
    pats: list[Section] = field(default_factory=list[Section])
    pmts: list[Section] = field(default_factory=list[Section])
    sdts: list[Section] = field(default_factory=list[Section])
    transport_stream_id: int | None = None
    original_network_id: int | None = None
    programmes: dict[int, int] = field(default_factory=dict[int, int])
    """Service id to the PID of its map."""
    streams: dict[int, int] = field(default_factory=dict[int, int])
    """PID to stream type: 0x1B is H.264, 0x0F is AAC in ADTS."""
    pcr_pid: int | None = None
    services: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    """Service id to provider and name."""
    unlisted: set[int] = field(default_factory=set[int])
    """PIDs that no table names."""

    def clock_gaps_ms(self) -> list[Fraction]:
        """Milliseconds from each clock reference to the next, by their own count."""
        return [Fraction((b.ticks - a.ticks) * 1000, PCR_HZ) for a, b in itertools.pairwise(self.clocks)]

    def rate_faults(self, rate: int, tolerance_ns: int = 500) -> list[str]:
        """Clock references that are not where ``rate`` bits a second put them: the least that a receiver must take is
        500 ns either way (ISO/IEC 13818-1, 2.4.2.1)."""
        first = self.clocks[0]
        wrong: list[str] = []
        for clock in self.clocks:
            due = Fraction((clock.at - first.at) * PACKET * 8 * PCR_HZ, rate)
            off_ns = (clock.ticks - first.ticks - due) * 1_000_000_000 / PCR_HZ
            if abs(off_ns) > tolerance_ns:
                wrong.append(f"packet {clock.at}: the clock is {float(off_ns):.0f} ns off {rate} bit/s")
        return wrong

    def table_gaps_ms(self, sections: list[Section], rate: int) -> list[Fraction]:
        """Milliseconds from each table to its next, at ``rate`` bits a second."""
        return [Fraction((b.at - a.at) * PACKET * 8 * 1000, rate) for a, b in itertools.pairwise(sections)]

    def leads_ms(self) -> list[Fraction]:
        """How long before its decoding time the last byte of each unit has arrived, by the clock before it.

        Below zero a receiver has run dry.
        """
        leads: list[Fraction] = []
        clocks = iter(itertools.pairwise(self.clocks))
        pair = next(clocks, None)
        for unit in self.units:
            while pair is not None and pair[1].at < unit.end:
                pair = next(clocks, None)
            if pair is None:
                break
            before, after = pair
            if before.at > unit.end:
                continue
            share = Fraction(unit.end - before.at, after.at - before.at)
            arrived = before.ticks + share * (after.ticks - before.ticks)
            leads.append((unit.dts * 300 - arrived) * 1000 / PCR_HZ)
        return leads

    def open_groups(self, pid: int) -> list[str]:
        """Random access pictures of H.264 after which a decoder that begins there would miss something."""
        wrong: list[str] = []
        mine = [unit for unit in self.units if unit.pid == pid]
        for number, unit in enumerate(mine):
            if not unit.random_access:
                continue
            if 5 not in {kind & 0x1F for kind in _nal_heads(unit.data)}:
                wrong.append(f"packet {unit.begin}: a random access picture that is no IDR")
            if any(later.pts < unit.pts for later in mine[number + 1 : number + 20]):
                wrong.append(f"packet {unit.begin}: pictures after it are shown before it")
        return wrong

    def picture_caption_bytes(self, pid: int) -> list[bytes]:
        """The A/53 caption triplets of each picture of ``pid``, empty where it has none."""
        return [_captions(unit.data) for unit in self.units if unit.pid == pid]


def take_apart(data: bytes) -> Taken:
    """Raises ValueError for what is not made of whole packets."""
    if len(data) % PACKET:
        raise ValueError(f"{len(data)} bytes are no whole packets")
    return _Parser().run(data)


class _Parser:
    def __init__(self) -> None:
        self.taken = Taken()
        self.counters: dict[int, int] = {}
        self.open: dict[int, tuple[int, int, bool, bytearray]] = {}  # begin, last packet, random access, bytes
        self.tables: dict[int, bytearray] = {}
        self.carried: set[int] = set()
        self.last_ticks: int | None = None
        self.times: dict[int, int] = {}

    def run(self, data: bytes) -> Taken:
        taken = self.taken
        for at in range(len(data) // PACKET):
            self._packet(at, data[at * PACKET : (at + 1) * PACKET])
        taken.packets = len(data) // PACKET
        for pid in list(self.open):
            self._close(pid, complete=False)
        taken.units.sort(key=lambda unit: unit.end)
        known = {0, _SDT_PID, *taken.programmes.values(), *taken.streams}
        taken.unlisted = self.carried - known
        return taken

    def _packet(self, at: int, packet: bytes) -> None:
        if packet[0] != 0x47:
            self.taken.faults.append(f"packet {at}: no sync byte")
            return
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid == NULL_PID:
            self.taken.nulls += 1
            return
        self.carried.add(pid)
        start = 4
        random_access = discontinuity = False
        if packet[3] & 0x20:
            start = 5 + packet[4]
            if packet[4]:
                flags = packet[5]
                discontinuity, random_access = bool(flags & 0x80), bool(flags & 0x40)
                if flags & 0x10:
                    self._clock(at, pid, packet[6:12], discontinuity=discontinuity)
        if not packet[3] & 0x10:
            return
        counter = packet[3] & 0x0F
        last = self.counters.get(pid)
        if last is not None and counter != (last + 1) % 16 and not discontinuity:
            self.taken.faults.append(f"packet {at}: the continuity counter of PID {pid} jumps from {last} to {counter}")
        self.counters[pid] = counter
        self._payload(at, pid, packet[start:], begins=bool(packet[1] & 0x40), random_access=random_access)

    def _clock(self, at: int, pid: int, field_: bytes, *, discontinuity: bool) -> None:
        base = int.from_bytes(field_[:4], "big") << 1 | field_[4] >> 7
        ticks = base * 300 + ((field_[4] & 1) << 8 | field_[5])
        if self.last_ticks is not None:
            ticks += round((self.last_ticks - ticks) / _PCR_RANGE) * _PCR_RANGE
            if ticks <= self.last_ticks:
                self.taken.faults.append(f"packet {at}: the clock does not go forward")
        self.last_ticks = ticks
        self.taken.clocks.append(Clock(at, ticks, pid, discontinuity))

    def _payload(self, at: int, pid: int, payload: bytes, *, begins: bool, random_access: bool) -> None:
        if pid in (0, _SDT_PID) or pid in self.taken.programmes.values():
            self._table(at, pid, payload, begins=begins)
        elif begins:
            self._close(pid)
            self.open[pid] = (at, at, random_access, bytearray(payload))
        elif pid in self.open:
            begin, _, access, so_far = self.open[pid]
            so_far += payload
            self.open[pid] = (begin, at, access, so_far)

    def _close(self, pid: int, *, complete: bool = True) -> None:
        unit = self.open.pop(pid, None)
        if unit is None:
            return
        begin, end, access, gathered = unit
        data = bytes(gathered)
        if data[:3] != b"\x00\x00\x01":
            self.taken.faults.append(f"packet {begin}: PID {pid} begins a unit that is no PES packet")
            return
        flags, header = data[7], data[8]
        length = int.from_bytes(data[4:6], "big")
        if complete and length and len(data) < length + 6:
            self.taken.faults.append(
                f"packet {begin}: a PES packet of PID {pid} is {length + 6 - len(data)} bytes short"
            )
        if not flags & 0x80:
            self.taken.faults.append(f"packet {begin}: a PES packet of PID {pid} without a time")
            return
        pts = self._time(data[9:14])
        dts = self._time(data[14:19]) if flags & 0x40 else pts
        self.taken.units.append(Unit(pid, begin, end, pts, dts, access, data[9 + header :]))

    def _time(self, field_: bytes) -> int:
        """90 kHz, on the side of the wrap where the clock is."""
        ticks = (field_[0] >> 1 & 7) << 30 | field_[1] << 22 | (field_[2] >> 1) << 15 | field_[3] << 7 | field_[4] >> 1
        if self.last_ticks is None:
            return ticks
        return ticks + round((self.last_ticks // 300 - ticks) / (1 << 33)) * (1 << 33)

    def _table(self, at: int, pid: int, payload: bytes, *, begins: bool) -> None:
        if begins:
            self.tables[pid] = bytearray(payload[1 + payload[0] :])
        elif pid in self.tables:
            self.tables[pid] += payload
        table = self.tables.get(pid)
        if table is None or len(table) < 3:
            return
        length = 3 + ((table[1] & 0x0F) << 8 | table[2])
        if len(table) < length:
            return
        del self.tables[pid]
        section = bytes(table[:length])
        if _crc(section) != 0:
            self.taken.faults.append(f"packet {at}: the table on PID {pid} fails its check")
            return
        self._section(at, pid, section[:-4])

    def _section(self, at: int, pid: int, body: bytes) -> None:
        taken = self.taken
        if pid == 0 and body[0] == 0x00:
            taken.pats.append(Section(at, body))
            taken.transport_stream_id = int.from_bytes(body[3:5], "big")
            for entry in _chunks(body[8:], 4):
                if service := int.from_bytes(entry[:2], "big"):
                    taken.programmes[service] = int.from_bytes(entry[2:4], "big") & 0x1FFF
        elif pid == _SDT_PID and body[0] == 0x42:
            taken.sdts.append(Section(at, body))
            taken.original_network_id = int.from_bytes(body[8:10], "big")
            self._services(body[11:])
        elif body[0] == 0x02:
            taken.pmts.append(Section(at, body))
            taken.pcr_pid = int.from_bytes(body[8:10], "big") & 0x1FFF
            self._streams(body[12 + (int.from_bytes(body[10:12], "big") & 0x0FFF) :])

    def _streams(self, rest: bytes) -> None:
        while len(rest) >= 5:
            self.taken.streams[int.from_bytes(rest[1:3], "big") & 0x1FFF] = rest[0]
            rest = rest[5 + (int.from_bytes(rest[3:5], "big") & 0x0FFF) :]

    def _services(self, rest: bytes) -> None:
        while len(rest) >= 5:
            service, length = int.from_bytes(rest[:2], "big"), int.from_bytes(rest[3:5], "big") & 0x0FFF
            descriptors, rest = rest[5 : 5 + length], rest[5 + length :]
            while len(descriptors) >= 2:
                tag, size = descriptors[0], descriptors[1]
                body, descriptors = descriptors[2 : 2 + size], descriptors[2 + size :]
                if tag == _SERVICE_DESCRIPTOR:
                    provider = body[2 : 2 + body[1]]
                    name = body[3 + body[1] : 3 + body[1] + body[2 + body[1]]]
                    self.taken.services[service] = (_text(provider), _text(name))


def _text(coded: bytes) -> str:
    """EN 300 468, annex A: 0x15 says that UTF-8 follows; letters of ASCII are the same without."""
    return coded[1:].decode() if coded[:1] == b"\x15" else coded.decode("latin-1")


def _chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data) - size + 1, size))


def _crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def _nal_heads(data: bytes) -> Iterator[int]:
    return (unit[0] for unit in _nal_units(data))


def _nal_units(data: bytes) -> Iterator[bytes]:
    parts = data.split(b"\x00\x00\x01")[1:]
    return (part for part in parts if part)


def _captions(data: bytes) -> bytes:
    """Of the SEI messages of one picture: user data registered by ITU-T T.35 with ATSC's code (A/53, 6.2.3)."""
    found = b""
    for unit in _nal_units(data):
        if unit[0] & 0x1F != 6:
            continue
        body = unit[1:].replace(b"\x00\x00\x03", b"\x00\x00")
        at = body.find(b"\xb5\x00\x31GA94\x03")
        if at >= 0:
            count = body[at + 8] & 0x1F
            found += body[at + 10 : at + 10 + 3 * count]
    return found
