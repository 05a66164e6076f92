"""The outbox of a run: a folder of steps that the tracking store has not got yet.

    about.json             the run, and the store that the steps are for
    models.json            the IDs of models that the store has made, by step
    steps/000000000007.json  one step; the numbers are the order
    files/000000000007/    a copy of the file that the step logs

Each file is written whole or not at all, so a killed process loses nothing that it has put there. One file for each
step needs no locks and no journal of a database, which file systems of networks lack. A full disk loses one step, and
the next may succeed.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from platformdirs import user_state_path

from artsim.errors import OutputError
from artsim.escaping import masked
from artsim.files import replacing, writing
from artsim.messages import counted
from artsim.tracking.steps import Kind, Step

ABOUT, MODELS, STEPS, FILES = "about.json", "models.json", "steps", "files"


def outboxes() -> Path:
    """The folder of all outboxes of this user."""
    return user_state_path("artsim") / "outbox"


@dataclass(frozen=True)
class About:
    """Whose steps an outbox holds. The store is named by a digest, as its address may hold a password."""

    run: str
    store: str
    shown: str

    @classmethod
    def of(cls, run: str, uri: str) -> About:
        """The outbox of a run in the store at an address."""
        return cls(run, sha256(uri.encode()).hexdigest(), masked(uri, uri))


class Outbox:
    """The steps of one run that wait on disk. Threads may share it; processes may not."""

    def __init__(self, folder: Path, about: About) -> None:
        """Open an outbox, or make it; `open_outbox` reads one that exists.

        Raises:
            OutputError: the folder cannot be written.
        """
        self.folder = folder
        self.about = about
        self._lock = threading.RLock()
        self._steps: dict[int, Step] = {}
        self._busy: set[int] = set()  # steps that are being delivered
        self.models: dict[str, str] = {}
        with writing(folder):
            for name in (STEPS, FILES):
                (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(folder / ABOUT) as file:
            json.dump(asdict(about), file)
        self._load()
        self._next = 1 + max(self._steps, default=0)

    def _load(self) -> None:
        with suppress(OSError, ValueError):
            self.models = json.loads((self.folder / MODELS).read_text(encoding="utf-8"))
        for file in sorted((self.folder / STEPS).glob("*.json")):
            with suppress(ValueError, KeyError, TypeError, OSError):  # half written when a machine lost its power
                kept = (
                    next(iter((self.folder / FILES / file.stem).iterdir()), None) if self._copy(file).is_dir() else None
                )
                self._steps[int(file.stem)] = Step.from_json(file.read_text(encoding="utf-8"), kept)
        for copy in (self.folder / FILES).iterdir():
            if not copy.name.isdigit() or int(copy.name) not in self._steps:  # its process was killed
                shutil.rmtree(copy, ignore_errors=True)

    def _copy(self, file: Path) -> Path:
        return self.folder / FILES / file.stem

    def __len__(self) -> int:
        return len(self._steps)

    def steps(self) -> list[tuple[int, Step]]:
        """The steps that wait, in order."""
        with self._lock:
            return sorted(self._steps.items())

    def put(self, step: Step) -> None:
        """Add a step, with a copy of its file. It replaces an older one for the same place.

        Raises:
            OutputError: the outbox cannot be written, as on a full disk.
        """
        with self._lock:
            number, self._next = self._next, self._next + 1
        kept = self.folder / FILES / f"{number:012}"
        try:
            if step.path is not None:
                step = Step(step.kind, step.data, self._kept(step.path, kept), step.id)
            with replacing(self.folder / STEPS / f"{number:012}.json") as file:
                file.write(step.to_json())
        except OutputError:
            shutil.rmtree(kept, ignore_errors=True)
            raise
        with self._lock:
            older = [other for other, each in self._steps.items() if step.place and each.place == step.place]
            self._steps[number] = step
            for other in set(older) - self._busy:
                self.remove(other)

    @staticmethod
    def _kept(path: Path, folder: Path) -> Path:
        """Copy a file, or a folder, which the training may change or remove."""
        with writing(folder):
            folder.mkdir(mode=0o700)
            return Path((shutil.copytree if path.is_dir() else shutil.copyfile)(path, folder / path.name))

    def take(self, number: int) -> bool:
        """Mark a step as being delivered; False: a newer one has replaced it."""
        with self._lock:
            self._busy.add(number)
            return number in self._steps

    def give_back(self, number: int) -> None:
        """The step is not being delivered any more."""
        with self._lock:
            self._busy.discard(number)

    def remove(self, number: int) -> None:
        """Remove a step that the store has, or that it does not need."""
        with self._lock, suppress(OSError):
            self._steps.pop(number, None)
            (self.folder / STEPS / f"{number:012}.json").unlink(missing_ok=True)
            if (kept := self.folder / FILES / f"{number:012}").exists():
                shutil.rmtree(kept, ignore_errors=True)

    def remove_ends(self) -> None:
        """Remove the ends of a run that goes on."""
        for number, step in self.steps():
            if step.kind is Kind.END:
                self.remove(number)

    def keep_model(self, step_id: str, model_id: str) -> None:
        """Keep the ID of the model that the store has made for a step."""
        self.models[step_id] = model_id
        with suppress(OutputError), replacing(self.folder / MODELS) as file:
            json.dump(self.models, file)

    def close(self) -> None:
        """Remove the folder if nothing waits in it."""
        if not self._steps:
            shutil.rmtree(self.folder, ignore_errors=True)

    def size(self) -> str:
        """The number of steps and their bytes, in words."""
        total = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return f"{counted(len(self), 'entry', 'entries')} ({total / 1e6:.1f} MB)"


def waiting_outboxes() -> Iterator[tuple[Path, About]]:
    """The folders of outboxes, the oldest first."""
    if not outboxes().is_dir():
        return
    for folder in sorted(outboxes().iterdir(), key=lambda each: each.lstat().st_mtime):
        with suppress(OSError, ValueError, TypeError):  # no outbox
            yield folder, About(**json.loads((folder / ABOUT).read_text(encoding="utf-8")))


def has_end(run_id: str) -> bool:
    """Whether the end of a run waits in its outbox."""
    steps = (outboxes() / run_id / STEPS).glob("*.json")
    with suppress(OSError):
        return any(json.loads(file.read_text(encoding="utf-8")).get("kind") == Kind.END.value for file in steps)
    return False
