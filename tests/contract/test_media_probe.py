"""What is said about a file before it airs, and that one hung file does not keep the others waiting."""

import json
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sidecar.media.probe import probe, probe_all
from sidecar.protocol.probe import Probe
from sidecar.rundown.rate import converted_frames, parse_rate
from tests.fixtures.playing import SMALL, play
from tests.fixtures.torture import Picturing, Sounding, numbered, rotate_mp4, tone, write_clip

REAL_CLIPS = Path(__file__).parents[2].parent / "shared" / "media"


def test_what_is_known_of_a_clip(tmp_path: Path) -> None:
    clip = Picturing(numbered(320, 180), 75, rate=Fraction(30000, 1001), codec="libx264")
    path = write_clip(tmp_path / "clip.mp4", clip, [Sounding(np.stack([tone(440, 2.5)] * 6), "5.1", "aac")])
    assert probe(str(path)) == Probe(
        path=str(path),
        verdict="usable",
        rate="30000/1001",
        duration_frames=75,
        duration_ms=2502,
        width=320,
        height=180,
        video_codec="h264",
        audio_codec="aac",
        audio_channels=6,
        scan="progressive",
        aspect="16/9",
        variable_rate=False,
        captions=False,
        audio_tracks=("5.1",),
        silent=False,
    )


def test_sound_alone_has_a_length_and_no_rate(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "radio.flac", None, [Sounding(tone(440, 3)[None], "mono", "flac")])
    assert probe(str(path)) == Probe(
        str(path),
        "usable",
        duration_ms=3000,
        audio_codec="flac",
        audio_channels=1,
        audio_tracks=("mono",),
        silent=False,
    )


def test_what_checks_ahead_of_air_need_of_a_clip(tmp_path: Path) -> None:
    """576i, anamorphic, eight mono tracks of which the two that air are silent."""
    clip = Picturing(
        numbered(720, 576), 50, codec="mpeg2video", aspect=Fraction(64, 45), field_order="tff",
        options={"flags": "+ildct+ilme"},
    )  # fmt: skip
    quiet, loud = np.zeros((1, 96_000), np.float32), tone(440, 2)[None]
    sounds = [Sounding(quiet, "mono"), Sounding(quiet, "mono"), *[Sounding(loud, "mono")] * 6]
    found = probe(str(write_clip(tmp_path / "clip.mov", clip, sounds)))
    assert (found.scan, found.aspect, found.variable_rate) == ("interlaced", "16/9", False)
    assert (found.audio_tracks, found.silent, found.captions) == (("mono",) * 8, True, False)


def test_a_rate_that_varies_is_told(tmp_path: Path) -> None:
    times = [number * 40 + (number % 3) * 13 for number in range(75)]
    clip = Picturing(numbered(320, 180), 75, times=times, codec="libx264")
    assert probe(str(write_clip(tmp_path / "clip.mkv", clip))).variable_rate is True
    steady = Picturing(numbered(320, 180), 75, rate=Fraction(30000, 1001), codec="libx264")
    assert probe(str(write_clip(tmp_path / "steady.mkv", steady))).variable_rate is False


def test_a_turned_picture_has_the_aspect_that_is_seen(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "phone.mp4", Picturing(numbered(320, 180), 25, codec="libx264"))
    rotate_mp4(path, (0, 1, -1, 0))
    assert probe(str(path)).aspect == "9/16"


@pytest.mark.parametrize("label", ["10:00:00:00", "00:59:59;28"])
def test_the_files_own_start_timecode(tmp_path: Path, label: str) -> None:
    path = tmp_path / "clip.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(30000, 1001))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.metadata["timecode"] = label
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert probe(str(path)).start_timecode == label


@pytest.mark.parametrize("captioned", [True, False])
def test_captions_in_the_picture_are_found(tmp_path: Path, captioned: bool) -> None:
    path = tmp_path / "clip.ts"
    message = b"\xb5\x00\x31GA94\x03" + bytes((0x42, 0xFF, 0xFC, 0x94, 0x2C, 0xFD, 0x80, 0x80, 0xFF))
    unit = b"\x00\x00\x00\x01\x06\x04" + bytes((len(message),)) + message + b"\x80"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
            encoded = stream.encode(frame) if number < 24 else [*stream.encode(frame), *stream.encode(None)]
            for packet in encoded:
                carrying = av.Packet((unit if captioned else b"") + bytes(packet))
                carrying.pts, carrying.dts, carrying.time_base = packet.pts, packet.dts, packet.time_base
                carrying.stream = stream
                carrying.is_keyframe = packet.is_keyframe
                container.mux(carrying)
    assert probe(str(path)).captions is captioned


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    clip = Picturing(numbered(320, 180), 250, codec="libx264")
    whole = write_clip(tmp_path / "whole.mp4", clip, movflags="faststart").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    verdict = probe(str(cut))
    assert verdict.verdict == "refused"
    assert verdict.refusal.startswith("cut short, it ends after ")


def test_streams_that_do_not_decode_are_refused(tmp_path: Path) -> None:
    """The header promises a picture; every packet is rubbish."""
    clip = Picturing(numbered(320, 180), 50, codec="libx264")
    path = write_clip(tmp_path / "clip.mp4", clip)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    stop = data.index(b"moov") - 4
    data[start:stop] = bytes(stop - start)
    path.write_bytes(data)
    assert probe(str(path)).refusal == f"no picture in it could be decoded: {path}"


def test_a_hung_path_does_not_stop_the_others(tmp_path: Path) -> None:
    """Answers come in the order asked for; the hung ones are refused at their deadline."""
    path = write_clip(tmp_path / "clip.mkv", Picturing(numbered(320, 180), 25))
    hung = [tmp_path / f"hung{number}.ts" for number in range(2)]
    for fifo in hung:
        os.mkfifo(fifo)
    started = time.monotonic()
    verdicts = list(probe_all([str(hung[0]), str(path), str(hung[1]), str(tmp_path / "missing")], 0.5))
    assert time.monotonic() - started < 30
    assert [verdict.verdict for verdict in verdicts] == ["refused", "usable", "refused", "refused"]
    assert verdicts[0].refusal.startswith("no answer within")
    assert [verdict.passes for verdict in verdicts] == [True, False, True, False]
    assert verdicts[3].refusal == f"no such file: {tmp_path}/missing"
    for fifo in hung:
        os.close(os.open(fifo, os.O_RDWR | os.O_NONBLOCK))


def test_the_process_prints_a_line_a_path_and_ends_while_one_hangs(tmp_path: Path) -> None:
    """P1 of imports: a hung thread keeps no process alive. Names that are not UTF-8 are printed all the same."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv")
    write_clip(tmp_path / "clip.mkv", Picturing(numbered(320, 180), 25)).rename(name)
    hung = tmp_path / "hung.ts"
    os.mkfifo(hung)
    program = (
        "import sys, sidecar.media.probe as p; p.probe_all.__defaults__ = (0.5,); p.main(sys.argv[1:])"  # not 10 s
    )
    done = subprocess.run([sys.executable, "-c", program, name, str(hung)], capture_output=True, timeout=30, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["verdict"] for line in lines] == ["usable", "refused"]
    assert lines[0]["path"] == f"{tmp_path}/caf\\udce9.mkv"


@pytest.mark.parametrize("path", sorted(REAL_CLIPS.glob("*")) if REAL_CLIPS.is_dir() else [])
def test_real_clips_play_whole(path: Path) -> None:
    """Camera and web files, where this checkout has them beside it: as long as probed, in order, with sound."""
    seen = probe(str(path))
    assert seen.verdict == "usable"
    assert seen.rate is not None
    assert seen.duration_frames is not None
    played = play(path, SMALL)
    assert len(played.moments) == converted_frames(seen.duration_frames, parse_rate(seen.rate), Fraction(25))
    assert played.numbers == sorted(played.numbers)
    assert played.sound.any() == (seen.audio_codec is not None)
