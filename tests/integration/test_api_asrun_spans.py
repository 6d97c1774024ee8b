"""Of the log through the API: every span adds up, outputs tell their delay, and BXF follows a schema by path."""

import asyncio
import os
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from tests.contract.test_asrun_schema import lay
from tests.fixtures.running import Running
from tests.integration.test_api_asrun_days import BEGIN, aired

SPANS = 12


async def test_every_span_adds_up(supervisor: Running) -> None:
    """P4. The run airs 20 s; spans lie across its edges, within it, before and after."""
    channel_id = await aired(supervisor)
    drawn = random.Random(4)
    for _ in range(SPANS):
        start = BEGIN + timedelta(milliseconds=drawn.randrange(-20_000, 25_000))
        end = start + timedelta(milliseconds=drawn.randrange(1, 40_000))
        query = {"from": start.isoformat(), "to": end.isoformat()}
        proof = await supervisor.call("GET", f"/channels/{channel_id}/asrun/verify", params=query)
        parts = [proof[f"{name}_frames"] for name in ("aired", "filler", "off_air")]
        assert sum(parts) == proof["span_frames"], query
        assert proof["unaccounted_frames"] == proof["twice_frames"] == 0
        assert proof["holds"], proof["faults"]
        overlap = (min(end, BEGIN + timedelta(seconds=20)) - max(start, BEGIN)).total_seconds()
        assert abs(proof["aired_frames"] - max(0.0, overlap) * 25) <= 1, query


async def test_what_outputs_add_is_told_beside_the_times(supervisor: Running) -> None:
    channel_id = await aired(supervisor)
    (hls,) = (await supervisor.call("GET", f"/channels/{channel_id}/asrun/delays"))["items"]
    assert (hls["kind"], hls["measured_ms"], hls["set_ms"], hls["total_ms"]) == ("hls", None, 2000, 2000)
    await supervisor.call("GET", f"/channels/{'0' * 32}/asrun/delays", expect=404)
    answer = await supervisor.unix.get(f"/api/v1/channels/{channel_id}/asrun/export?day=2026-03-01&format=report")
    assert "An output adds: hls, 2000 ms" in answer.text


async def test_bxf_is_written_only_where_it_follows_the_schema(supervisor: Running, tmp_path: Path) -> None:
    await aired(supervisor)
    schema, file = lay(tmp_path / "schema"), tmp_path / "day.xml"
    words = ["asrun", "export", "1", "--day", "2026-03-01", "--format", "bxf", "--schema", str(schema)]
    environment = {**os.environ, "MCR_HOME": str(supervisor.settings.home)}

    async def mcr(*more: str) -> tuple[int, str, str]:
        program = [sys.executable, "-m", "mcr_console.cli.main", *words, *more]
        result = await asyncio.to_thread(
            subprocess.run, program, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        return result.returncode, result.stdout, result.stderr

    assert await mcr("--output", str(file)) == (0, "", "")
    assert "<BasicAsRun>" in file.read_text()
    file.unlink()
    code, output, _ = await mcr()
    assert code == 0
    assert output.startswith("<?xml")
    parts = schema / "parts.xsd"
    parts.write_text(parts.read_text().replace("Aired Without Discrepancy", "Something Else"))
    code, _, faults = await mcr("--output", str(file))
    assert code == 1
    assert "Not written: 2 faults" in faults
    assert "found 'Aired Without Discrepancy'" in faults
    assert not file.exists()
    words[words.index("bxf")] = "csv"
    assert (await mcr())[0] == 2
