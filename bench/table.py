"""Makes the README's table of figures from ``bench/results``; with ``--check`` fails when they differ."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from bench.record import RESULTS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- figures: made by `make bench` -->", "<!-- end of figures -->"

Figures = dict[str, float]

Row = tuple[str, str, Callable[[Figures], str]]

INTERRUPTIONS = (
    ("sidecar killed: first datagram of its follower on the same node", "sidecar_killed"),
    ("the same, to its first public segment (2 s of it are the segment)", "sidecar_killed_segment"),
    ("sidecar killed on a node without a spare one: first datagram of its follower", "sidecar_killed_cold"),
    ("node killed: first picture elsewhere, HLS", "node_killed_hls"),
    ("the same, to its first public segment", "node_killed_hls_segment"),
    ("node killed: first datagram elsewhere, UDP that stops with its lease", "node_killed_udp"),
    ("node killed: first media elsewhere, RTMP", "node_killed_rtmp"),
    ("node cut off from its supervisors: first picture elsewhere, HLS", "node_cut_hls"),
    ("node cut off: first datagram elsewhere, UDP that stops with its lease", "node_cut_udp"),
    ("node cut off: first media elsewhere, RTMP where the newest publisher wins", "node_cut_rtmp"),
    ("leader killed: first command that the next one carries out", "leader_killed"),
    ("leader frozen: first command that the next one carries out", "leader_frozen"),
)


def _interrupted(words: str, name: str) -> Row:
    return (
        f"{words}; median and worst",
        "failover",
        lambda f: f"{f[f'{name}_s']} s, {f[f'{name}_worst_s']} s of {f[f'{name}_runs']:.0f}",
    )


def _scaled(size: int) -> Row:
    return (
        f"a supervisor of {size:,} sidecars on 20 nodes, a heartbeat a second",
        "scale",
        lambda f: (
            f"{f[f'cpu_cores_{size}']} cores, {f[f'memory_mib_{size}']:.0f} MiB, heartbeats at most "
            f"{f[f'heartbeat_age_latest_ms_{size}'] / 1000:.1f} s old, a channel read in "
            f"{f[f'api_channel_p50_ms_{size}']} ms (99th percentile {f[f'api_channel_p99_ms_{size}']} ms)"
        ),
    )


def _as_run(kind: str, name: str, millions: str) -> tuple[Row, ...]:
    about = f"as-run log of {millions} million events on {name}"
    return (
        (
            f"{about}: newest page, last page, a page of a day; median and worst",
            "asrun_scale",
            lambda f: ", ".join(
                f"{f[f'{kind}_{query}_ms']} ms ({f[f'{kind}_{query}_worst_ms']} ms)"
                for query in ("newest_page_of_channel", "last_page_of_channel", "page_of_day")
            ),
        ),
        (
            f"{about}: all 8,640 events of a channel's day, page by page; median and worst",
            "asrun_scale",
            lambda f: f"{f[f'{kind}_whole_day_ms']:.0f} ms, {f[f'{kind}_whole_day_worst_ms']:.0f} ms",
        ),
        (
            f"{about}: an append of 10 records and 5 events, at a tenth of that and at all of it",
            "asrun_scale",
            lambda f: f"{f[f'{kind}_insert_first_ms']} ms, {f[f'{kind}_insert_last_ms']} ms",
        ),
    )


def _keys(where: str, name: str) -> tuple[Row, ...]:
    def three(f: Figures, what: str) -> str:
        return ", ".join(f"{f[f'{name}_{what}_{part}_ms']:.0f} ms" for part in ("p50", "p99", "worst"))

    return (
        (
            f"console, {where}: from the key to the moved focus on the screen; median, 99th percentile, worst",
            "console_keys",
            lambda f: f"{three(f, 'echo')} of {f[f'{name}_takes']:.0f}",
        ),
        (
            "the same, from the take key to the engine's frame number on the screen",
            "console_keys",
            lambda f: three(f, "answer"),
        ),
    )


def _console(size: int) -> Row:
    def on(f: Figures, screen: str) -> str:
        cores, memory = f[f"{screen}_cpu_cores_{size}"], f[f"{screen}_memory_mib_{size}"]
        return f"{cores} cores, {memory:.0f} MiB"

    return (
        f"a console of {size:,} channels that all change every second, 160x50: wall; list",
        "console_load",
        lambda f: f"{on(f, 'wall')}; {on(f, 'list')}",
    )


ROWS: tuple[Row, ...] = (
    (
        "CPU of a channel against ffmpeg, same clips, same encoder, preview in both",
        "cpu_against_ffmpeg",
        lambda f: (
            f"{f['ratio']}x ({f['sidecar_cpu_per_channel_second']} against "
            f"{f['ffmpeg_cpu_per_channel_second']} CPU seconds a second)"
        ),
    ),
    (
        "the same, ffmpeg spared the preview",
        "cpu_against_ffmpeg",
        lambda f: f"{f['ratio_to_ffmpeg_without_preview']}x",
    ),
    ("memory of a channel", "cpu_against_ffmpeg", lambda f: f"{f['memory_mib']} MiB"),
    (
        "sidecar's start to first frame, median and worst of ten",
        "start_to_segment",
        lambda f: f"{f['start_to_first_frame_s']} s, {f['start_to_first_frame_worst_s']} s",
    ),
    (
        "sidecar's start to first public segment (2 s of it are the segment)",
        "start_to_segment",
        lambda f: f"{f['start_to_first_segment_s']} s, {f['start_to_first_segment_worst_s']} s",
    ),
    (
        "a take, from the request to the new picture at a UDP receiver (720p25), median and worst",
        "take_latency",
        lambda f: f"{f['to_picture_ms']:.0f} ms, {f['to_picture_worst_ms']:.0f} ms of {f['takes']:.0f}",
    ),
    (
        "the same, to the reply that the frame was handed to the encoder",
        "take_latency",
        lambda f: f"{f['to_reply_ms']:.0f} ms, {f['to_reply_worst_ms']:.0f} ms",
    ),
    (
        "twenty minutes of takes, STANDBY, a live input cut and restored, outputs changed: the output against the log",
        "agreement",
        lambda f: f"{f['disagreeing_frames']:.0f} of {f['frames']:,.0f} frames disagree ({f['minutes']} minutes)",
    ),
    (
        "four channels of 720p25 at once",
        "four_channels",
        lambda f: f"{f['late_frames']:.0f} late frames in {f['minutes']} minutes, {f['cpu_cores_used']} cores used",
    ),
    (
        "their pictures at a UDP receiver, after the earliest line through all (the sender paces each over a frame)",
        "four_channels",
        lambda f: (
            f"99th percentile {f['lateness_p99_ms']} ms, worst {f['lateness_worst_ms']} ms of "
            f"{f['pictures_received']:.0f} pictures"
        ),
    ),
    *(_interrupted(words, name) for words, name in INTERRUPTIONS),
    (
        "supervisors killed and started again: all channels adopted, frames lost at UDP receivers",
        "failover",
        lambda f: (
            f"{f['supervisors_restarted_s']} s, {f['supervisors_restarted_worst_s']} s; {f['frames_lost']:.0f} lost"
        ),
    ),
    (
        "two senders of one channel on air at once, over all these runs",
        "failover",
        lambda f: f"{f['double_air_ms']} ms at {f['receivers']:.0f} receivers",
    ),
    *(_scaled(size) for size in (10, 100, 1000)),
    (
        "200 readers of events, ten of them slow, and 500 calls a second for five minutes; 100 simulated channels",
        "load",
        lambda f: (
            f"{f['answered_per_second']:.0f} a second answered, {f['answer_p50_ms']} ms in the median,"
            f" {f['failed']:.0f} failed; {f['heartbeats_missed']:.0f} heartbeats missed; {f['cpu_cores']} cores,"
            f" {f['memory_most_mib']:.0f} MiB at most; {f['slow_readers_cut_off']:.0f} readers cut off"
        ),
    ),
    (
        "three channels with a fault every minute for two hours",
        "soak",
        lambda f: (
            f"{f['faults']:.0f} faults, {f['never_back']:.0f} never back; {f['frames_unaccounted']:.0f} of"
            f" {f['frames_span']:,} frames unaccounted; in the last hour sidecar {f['steady_grown_mib']:+.1f} of"
            f" {f['steady_mib']:.0f} MiB, agent {f['agent_grown_mib']:+.1f} of {f['agent_mib']:.0f}, supervisor"
            f" {f['supervisor_grown_mib']:+.1f} of {f['supervisor_mib']:.0f}"
        ),
    ),
    *_as_run("sqlite", "SQLite", "1"),
    *_as_run("postgresql", "PostgreSQL", "10"),
    *_keys("64 simulated sidecars on a clock of 25 frames a second", "simulated"),
    *_keys("four real sidecars on the same machine", "real"),
    *_keys("the simulated ones, with 100 ms each way between console and supervisor", "link"),
    (
        "takes by a script that looks at the screen alone, after random moves of the focus",
        "console_takes",
        lambda f: f"{f['wrong_channel']:.0f} on a wrong channel of {f['takes']:.0f}, {f['channels']:.0f} channels",
    ),
    (
        "console: supervisor stopped, killed, slow, speaking garbage; 1x1 cells; a megabyte pasted; hostile names",
        "console_hostile",
        lambda f: f"{f['failed']:.0f} of {f['faults']:.0f} not withstood",
    ),
    *(_console(size) for size in (4, 64, 500, 1000)),
    (
        "a console of 500 channels with keys pressed for an hour: growth of its memory",
        "console_growth",
        lambda f: (
            f"from {f['memory_first_mib']:.0f} MiB after ten minutes to {f['memory_last_mib']:.0f} after"
            f" {f['minutes']:.0f}; a straight line through them rises by {f['slope_mib_an_hour']:.1f} an hour"
        ),
    ),
)


def table() -> str:
    lines = ["| what | measured |", "|---|---|"]
    machines: list[str] = []
    for words, name, show in ROWS:
        path = RESULTS / f"{name}.json"
        if not path.exists():
            lines.append(f"| {words} | not measured yet |")
            continue
        document = json.loads(path.read_text())
        try:
            shown = show(document["figures"])
        except KeyError:
            shown = "not measured yet"
        lines.append(f"| {words} | {shown} |")
        one = document["machine"]
        machines.append(f"{one['cores']} cores of {one['processor']}, Python {one['python']}, ffmpeg {one['ffmpeg']}")
    if machines:
        lines += ["", "Taken on " + "; ".join(dict.fromkeys(machines)) + "."]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check: bool = parser.parse_args().check
    text = README.read_text()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        print(f"README.md has no place for the figures: {BEGIN} ... {END}", file=sys.stderr)
        return 1
    made = f"{head}{BEGIN}\n{table()}\n{END}{tail}"
    if made == text:
        return 0
    if check:
        print(
            "README.md's figures differ from bench/results; run `make bench` or `python -m bench.table`",
            file=sys.stderr,
        )
        return 1
    README.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
