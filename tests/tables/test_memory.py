"""Whatever a table holds, reading it takes a bounded memory and ends the process with no crash."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT
from tests.tables.hostile import FILES

MEBIBYTES = 600  # of the whole process; without the bounds, these files take from 0.6 to 4 GiB, or crash it
SLOW = ["a row over lines", "sparse jsonl", "a repeated prefix"]  # to write or to read
FAST = [name for name in FILES if name not in SLOW]
READ = """
import json, re, sys
from pathlib import Path
from artsim.errors import InputError
from artsim.tables.pairs_file import open_pairs
def peak():  # not getrusage's, which begins with that of the process that starts this one
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
for path in sys.argv[1:]:
    rows, said = 0, ""
    try:
        with open_pairs(path) as pairs:
            rows = sum(len(block) for block in pairs.blocks())
    except InputError as error:
        said = str(error)
    print(json.dumps([rows, said, peak() / 1024]), flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's record of the peak")
@pytest.mark.parametrize("names", [FAST, pytest.param(SLOW, marks=pytest.mark.slow)], ids=["fast", "slow"])
def test_hostile_tables_are_read_or_refused_in_bounded_memory(tmp_path: Path, names: list[str]) -> None:
    paths = []
    for number, (suffix, write, _) in enumerate(FILES[name] for name in names):
        paths.append(tmp_path / f"{number}{suffix}")
        write(paths[-1])
        assert paths[-1].stat().st_size < 7_000_000
    done = subprocess.run(
        [sys.executable, "-c", READ, *map(str, paths)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    for name, (rows, said, peak) in zip(names, results, strict=False):
        wanted = FILES[name][2]
        assert re.search(wanted, said) if wanted else (rows and not said), (name, rows, said)
        assert peak < MEBIBYTES, (name, peak)
    assert (done.returncode, len(results)) == (0, len(names)), done.stderr
