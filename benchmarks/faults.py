"""Commands whose disk, folder, memory or inputs fail while they run.

    python -m benchmarks.faults [--fault "full disk" ...] [COMMAND ...]

The commands are those of `benchmarks.commands`. The faults: a disk with room for 10, 50 and 90 % of what the command
writes; a folder that it may not write to; limits of address space; two processes on one output; a model or an image
that is replaced again and again while it is read. Root is needed for a small disk of its own; without root, the size of
each file is limited.

Expected, of every fault: an exit code of the table `FAULTS`, one line that begins with `error: ` and no traceback, no
incomplete file under a final name, an end within `SECONDS`, and success of the same command afterwards, with the same
result as without the fault.

Measured on 2026-11-27 on 2 busy cores, for all commands: as expected. The longest took 41 s, of export 123 s,
and of train 178 s. With 1 GiB of address space, train could decode no image (3).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from artsim.towers import BASE
from benchmarks.commands import COMMANDS, Command, incomplete, write_inputs
from benchmarks.data import verdict

SECONDS = 300.0  # generous for a busy machine; a run without a fault takes less than 60
TIMES_AT_ONCE = 3
PAIRS, NAMES = 40_000, 300
PAGE = os.sysconf("SC_PAGE_SIZE")
SHARES_OF_ROOM = (0.1, 0.5, 0.9)
GIB_OF_ADDRESSES = (0.4, 1.0, 2.0, 7.0)
# Root may write everywhere, unless it gives up this right.
AS_A_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@dataclass(frozen=True)
class Ended:
    """How a command ended, and the files that it left incomplete; `code` is None if it had to be killed."""

    code: int | None
    stderr: str
    seconds: float
    incomplete: list[str]

    def faults(self, codes: set[int]) -> list[str]:
        """What is wrong with this end."""
        if self.code is None:
            return [f"no end within {SECONDS:.0f} s"]
        found = [f"incomplete {name}" for name in self.incomplete]
        if self.code not in codes:
            found.append(f"exit code {self.code}")
        said = [line for line in self.stderr.splitlines() if line.startswith("error: ")]
        if "Traceback" in self.stderr or len(said) != bool(self.code):
            found.append(f"{len(said)} messages, or a traceback")
        return found


# An attempt yields, after each fault, how the commands ended, and where the same command has to succeed now.
Attempt = Callable[[Command, Path], Iterator[tuple[list[Ended], Path]]]
Before = Callable[[], object]


def start(command: Command, folder: Path, prefix: list[str], before: Before | None = None) -> subprocess.Popen[str]:
    """Start a command in a folder."""
    return subprocess.Popen(
        [*prefix, *command.words], cwd=folder, text=True, preexec_fn=before,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def end_of(process: subprocess.Popen[str], command: Command, folder: Path, started: float) -> Ended:
    """Wait for a command, and kill it where it hangs."""
    code: int | None
    try:
        _, err = process.communicate(timeout=SECONDS)
        code = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        _, err = process.communicate()
        code = None
    return Ended(code, err, time.monotonic() - started, incomplete(command.results(folder)))


def run(command: Command, folder: Path, prefix: list[str] | None = None, before: Before | None = None) -> Ended:
    """Run a command to its end."""
    started = time.monotonic()
    return end_of(start(command, folder, prefix or [], before), command, folder, started)


def limited(kind: int, size: int) -> Before:
    """A limit of the process that is started."""
    return lambda: resource.setrlimit(kind, (size, size))


def on_full_disks(command: Command, folder: Path) -> Iterator[tuple[list[Ended], Path]]:
    """Disks with room for a share of what the command writes."""
    before = used_bytes(folder)
    run(command, folder)
    written = used_bytes(folder) - before
    command.remove_results(folder)
    for room in (int(share * written) for share in SHARES_OF_ROOM):
        if os.geteuid() == 0:
            with small_disk(folder, before + room) as (place, give_room):
                end = run(command, place)
                give_room()
                yield [end], place
        else:
            yield [run(command, folder, before=limited(resource.RLIMIT_FSIZE, room))], folder


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[tuple[Path, Before]]:
    """A disk of `size` bytes with a copy of a folder, and a function that makes it larger."""
    with tempfile.TemporaryDirectory() as disk:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size // 1024}k", "tmpfs", disk], check=True)
        try:
            shutil.copytree(folder, disk, dirs_exist_ok=True)
            yield Path(disk), lambda: subprocess.run(["mount", "-o", "remount,size=1g", disk], check=True)
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)


def used_bytes(folder: Path) -> int:
    """The bytes that a folder's files take on a disk in memory, in whole pages."""
    return sum(-(-path.stat().st_size // PAGE) * PAGE for path in folder.rglob("*") if path.is_file())


def in_a_read_only_folder(command: Command, folder: Path) -> Iterator[tuple[list[Ended], Path]]:
    """A folder without the right to write."""
    folder.chmod(0o555)
    try:
        end = run(command, folder, AS_A_USER)
    finally:
        folder.chmod(0o755)
    yield [end], folder


def with_little_memory(command: Command, folder: Path) -> Iterator[tuple[list[Ended], Path]]:
    """Limits of address space, the highest of which is enough."""
    for gib in GIB_OF_ADDRESSES:
        yield [run(command, folder, before=limited(resource.RLIMIT_AS, int(gib * 2**30)))], folder


def twice_at_once(command: Command, folder: Path) -> Iterator[tuple[list[Ended], Path]]:
    """Two processes with the same output, several times, as the first may end before the second begins to write."""
    for _ in range(TIMES_AT_ONCE):
        started = time.monotonic()
        both = [start(command, folder, []) for _ in range(2)]
        yield [end_of(process, command, folder, started) for process in both], folder


def with_replaced(name: str) -> Attempt:
    """An attempt in which a file is replaced all the time: by another, by half of it, in place and by a move."""

    def attempt(command: Command, folder: Path) -> Iterator[tuple[list[Ended], Path]]:
        with replacing_all_the_time(sorted(folder.glob(name))):
            end = run(command, folder)
        yield [end], folder

    return attempt


@contextlib.contextmanager
def replacing_all_the_time(paths: list[Path]) -> Iterator[None]:
    """Replace files by each other, in a thread, until the block ends; then all are as before."""
    whole = [path.read_bytes() for path in paths]
    is_over = threading.Event()

    def replace() -> None:
        number = 0
        while not is_over.wait(0.01):
            path, data = paths[number % len(paths)], whole[(number * 7 + number // 3) % len(paths)]
            data = data[: len(data) // 2] if number % 5 == 0 else data
            if number % 2:
                path.write_bytes(data)
            else:
                part = path.with_name(f".{path.name}.new")
                part.write_bytes(data)
                part.replace(path)
            number += 1

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        for path, data in zip(paths, whole, strict=True):
            path.write_bytes(data)


# The attempts, and the exit codes that their commands may have.
FAULTS: dict[str, tuple[Attempt, set[int]]] = {
    "full disk": (on_full_disks, {8}),
    "read-only folder": (in_a_read_only_folder, {7, 8}),  # 7: the store of runs cannot be made there
    "little memory": (with_little_memory, {0, 3, 4, 6}),  # 3 and 4: there was none to decode images
    "two at once": (twice_at_once, {0, 8}),
    "replaced images": (with_replaced("works/train/*.jpg"), {0, 3, 4}),
    "replaced model": (with_replaced("*.onnx"), {0, 5}),
    "replaced checkpoints": (with_replaced("kept/*.keras"), {0, 5}),
    "replaced tables": (with_replaced("*.csv"), {0, 3}),
}
# The commands that a fault can touch, by the beginning of their names. Default: all.
TOUCHES: dict[str, tuple[str, ...]] = {
    "replaced images": ("score", "embed", "train", "export"),
    "replaced model": ("score", "embed"),
    "replaced checkpoints": ("export",),
    "replaced tables": ("score", "pairs"),
}


def main() -> int:
    """Let each fault happen to each command, and print a row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fault", action="append", choices=list(FAULTS), help="Default: all.")
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"Default: all of {', '.join(COMMANDS)}")
    arguments = parser.parse_args()
    good = True
    print(
        "| fault | command | exit codes, each fault and then without it | longest, s | found |\n|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as name:
        write_inputs(Path(name), lambda path: shutil.copy(BASE, path), PAIRS, NAMES)
        for fault in arguments.fault or FAULTS:
            for chosen in arguments.commands or COMMANDS:
                if chosen.startswith(TOUCHES.get(fault, "")):
                    good &= happens(fault, chosen, Path(name))
    return verdict(good, "a message, an exit code, nothing half written, and success afterwards")


def happens(fault: str, chosen: str, folder: Path) -> bool:
    """Let a fault happen to a command; print a row, and whether all was as expected."""
    attempt, codes = FAULTS[fault]
    command = COMMANDS[chosen]
    run(command, folder)
    wanted = command.identity(folder)
    command.remove_results(folder)
    ends, found = [], []
    for now, place in attempt(command, folder):
        after = run(command, place)
        found += [each for end in now for each in end.faults(codes)] + after.faults({0})
        if after.code == 0 and command.identity(place) != wanted:
            found.append("another result")
        command.remove_results(place)
        ends += [*now, after]
    if fault == "two at once" and command.has_lock and all(end.code == 0 for end in ends):
        found.append("the two never met")
    shown = " ".join(str(end.code) for end in ends)
    print(
        f"| {fault} | {chosen} | {shown} | {max(end.seconds for end in ends):.1f} | {'; '.join(found) or 'nothing'} |"
    )
    for end in ends if found else ():
        print(f"    {end.code}: {end.stderr.strip()[-600:]}")
    sys.stdout.flush()
    return not found


if __name__ == "__main__":
    sys.exit(main())
