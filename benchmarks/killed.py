"""Commands that are killed at random moments and started again.

    python -m benchmarks.killed [--times 20] [--pairs 3000000] [COMMAND ...]

Each run is killed by SIGKILL at a random moment between its start and its end, and is then started again. The commands
are those of `benchmarks.commands`; scoring and embedding take the classic tower, the slowest one. Expected: no file
under a final name is incomplete, the next run succeeds, and its output has the bytes of an uninterrupted run. Of train,
these are graph, weights and card of the tower, without the `run_id`: two trainings with one seed on a CPU agree in all
else. The benchmark prints the cost of a kill: the time of both runs minus that of one.

Measured on 2026-11-27 on 2 busy cores, with 50,000 pairs: the same result after 20 kills of each command. A kill cost
at most 25 s, of export 49 s, and of train 71 s, on that machine.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.classic_tower import write_classic_tower
from benchmarks.commands import COMMANDS, Command, incomplete, write_inputs
from benchmarks.data import verdict

NAMES = 3_000  # of the table for `artsim pairs`: 4.5 million pairs


def main() -> int:
    """Kill, start again, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=3_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"Default: all of {', '.join(COMMANDS)}")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder), write_classic_tower, arguments.pairs, NAMES)
        chosen = arguments.commands or COMMANDS
        good = [survives(name, COMMANDS[name], Path(folder), arguments.times, rng) for name in chosen]
    return verdict(all(good), "no incomplete file, and the same result each time")


def survives(name: str, command: Command, folder: Path, times: int, rng: random.Random) -> bool:
    """Whether every run after a kill ended as the one that was not killed."""
    whole_seconds, _ = run(command, folder, None)
    wanted = command.identity(folder)
    print(f"{name}: {whole_seconds:.1f} s without interruption", flush=True)
    same, kills = True, 0
    costs = []
    while kills < times:
        command.remove_results(folder)
        seconds, killed = run(command, folder, rng.uniform(0, whole_seconds))
        if not killed:
            whole_seconds = min(seconds, whole_seconds)  # the machine was busier before
            continue
        kills += 1
        half = incomplete(command.results(folder))
        rest, _ = run(command, folder, None)
        equal = command.identity(folder) == wanted
        same &= equal and not half
        costs.append(seconds + rest - whole_seconds)
        said = f"{'the same' if equal else 'ANOTHER'} result, incomplete: {', '.join(half) or 'nothing'}"
        print(f"  killed after {seconds:.1f} s: {said}", flush=True)
    print(f"  {kills} kills, a kill cost {min(costs):+.1f} to {max(costs):+.1f} s", flush=True)
    command.remove_results(folder)
    return same


def run(command: Command, folder: Path, moment: float | None) -> tuple[float, bool]:
    """Seconds of one run, killed at a moment unless it ends before, and whether it was."""
    started = time.perf_counter()
    process = subprocess.Popen(command.words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return time.perf_counter() - started, True
    if process.returncode:
        sys.exit(f"{command.line} ended with {process.returncode}")
    return time.perf_counter() - started, False


if __name__ == "__main__":
    sys.exit(main())
