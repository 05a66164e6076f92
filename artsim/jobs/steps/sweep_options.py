"""The settings of `artsim sweep`, and what makes a study the same study."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from artsim.errors import UsageError
from artsim.jobs.steps.train_log import TrainOptions
from artsim.messages import first_few
from artsim.sweeps.study import Study
from artsim.training.search_space import Space

IDENTITY = "identity"  # the attribute of a study
# Flags that change no result, or that say which files are written.
FREE = ("device_id", "checkpoint_dir", "summaries_dir", "register", "save_data_to_file", "log_pictures", "max_pixels")


@dataclass(frozen=True)
class SweepOptions:
    """The settings of `artsim sweep`.

    Attributes:
        base: the settings of a training with the recipe's values.
        options_of: the settings of a training, by the values of the flags that are searched.
        space: what is searched.
        trials: number of trials of the study.
        minutes: after which no trial begins; None: as long as it takes.
        processes: that this command starts, this one included.
        study: its name; None: one that says what the study is of.
        flags: the effective value of every flag, for the run's params.
        arguments: of the command as it was typed, for further processes.
    """

    base: TrainOptions
    options_of: Callable[[Mapping[str, object]], TrainOptions]
    space: Space
    trials: int
    minutes: float | None
    processes: int
    study: str | None
    flags: Mapping[str, object]
    arguments: Sequence[str]

    @property
    def identity(self) -> dict[str, str]:
        """What all trials of a study have in common, by flag."""
        fixed = {name: str(value) for name, value in self.base.flags.items() if name not in (*FREE, *self.space)}
        return fixed | {name: str(values) for name, values in self.space.items()}

    @property
    def name(self) -> str:
        """The name of the study."""
        digest = sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()
        return self.study or f"sweep-{self.base.recipe.name}-{digest[:8]}"


def check_identity(study: Study, options: SweepOptions) -> None:
    """Check that a study that goes on has the same flags."""
    before, now = study.get(IDENTITY), options.identity
    if before is None:
        study.set(IDENTITY, now)
        values = {name: getattr(options.base.recipe, name) for name in options.space}
        study.begin({name: value for name, value in values.items() if value in options.space[name]})
        return
    differ = [
        f"--{name.replace('_', '-')} {before.get(name)} (now {now.get(name)})"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    if differ:
        raise UsageError(
            f"--study {options.name}: the study began with other flags: {first_few(differ)}. Give the same flags, or "
            "name another study."
        )
