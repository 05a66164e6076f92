"""`artsim register`: register the model of a run, and give it the alias if it is not worse than the champion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from artsim.errors import GateError, ModelError, TrackingError
from artsim.evaluation.intervals import Difference, auc_difference
from artsim.export.run_record import RECORD_FILE, WORKS_FILE
from artsim.jobs.steps.gate_pairs import GatePairs, RunFiles, pairs_of_file, unfitted_pairs, with_distances
from artsim.messages import Progress, Say, counted
from artsim.scoring.session import read_card
from artsim.tracking.earlier import deliver_earlier
from artsim.tracking.registry import Version, champion, download_files, move_alias, register_version, tag_version
from artsim.tracking.resolver import TrackedTower, cached_tower, find_tower

NOT_WORSE = -0.005  # AUC. The lower end of the difference's interval must be above it. A setting
RUN_FILES = (f"checkpoints/{WORKS_FILE}", f"checkpoints/{RECORD_FILE}", "pairs.csv")
GATE_TAG = "artsim.gate"


@dataclass(frozen=True)
class RegisterOptions:
    """The options of `artsim register`, as its help describes them."""

    run: str
    name: str = "artsim"
    alias: str = "champion"
    pairs: str | None = None
    data_dir: str | None = None


def register(options: RegisterOptions, say: Say, progress: Progress) -> str:
    """Register a model as a version, move the alias if the gate lets it, and return the text to print.

    Raises:
        GateError: the model is worse, or there are no pairs to compare it on. The alias has not moved.
        ModelError: there is no such run, or it has no tower.
        InputError: the pairs file cannot be used.
        TrackingError: the store cannot be used.
    """
    deliver_earlier(say)  # the model may wait in the outbox of its run
    name = options.run if ":/" in options.run else f"runs:/{options.run}"
    candidate = find_tower(name)
    if candidate.model_id is None:
        raise ModelError(f"{name}: the tower is no logged model. Train it again with this version of artsim.")
    version = register_version(options.name, candidate.model_id, candidate.run_id)
    before, alias = champion(options.name, options.alias), f"{options.name}@{options.alias}"
    if before == version:
        return f"{version} is {alias} already."
    if before is None:
        move_alias(version, options.alias, None)
        tag_version(version, {GATE_TAG: f"the first {alias}"})
        return f"{version} is {alias} now, the first one."
    say(f"{version} is registered. Comparing it with {alias}, {before} …")
    try:
        verdict = _compare(options, (name, candidate), before, progress)
    except GateError as error:
        tag_version(version, {GATE_TAG: f"refused: {error}"})
        raise GateError(f"{version} is registered, but {alias} stays {before}: {error}") from error
    move_alias(version, options.alias, before)
    tag_version(version, {GATE_TAG: f"passed: {verdict}"})
    return f"{version} is {alias} now, in place of {before}: {verdict}"


def register_after_training(run_id: str, say: Say, progress: Progress) -> str:
    """Register the model of a run that has just ended. A gate that refuses it does not make the training fail.

    Neither does a store that is away, or does not have the model yet.
    """
    try:
        return register(RegisterOptions(run_id), say, progress)
    except GateError as error:
        return str(error)
    except (ModelError, TrackingError) as error:
        return f"The model is not registered. {error} Register it later: artsim register {run_id}"


def _compare(options: RegisterOptions, candidate: tuple[str, TrackedTower], before: Version, progress: Progress) -> str:
    """Compare two towers; return the result in words.

    Raises:
        GateError: the candidate is worse, or cannot be compared.
    """
    name, tower = candidate
    old_name = f"models:/{before.name}/{before.number}"
    towers = cached_tower(old_name), cached_tower(name)
    if options.pairs is not None:
        pairs = pairs_of_file(options.pairs, options.data_dir)
    else:
        pairs = _pairs_of_runs(towers, (find_tower(old_name).run_id, tower.run_id))
    pairs, (old, new) = with_distances(pairs, towers, progress)
    works = len(np.unique([pairs.first, pairs.second]))
    found = auc_difference(old, new, pairs.same, pairs.first, pairs.second, pairs.artists)
    verdict = _in_words(found, len(pairs.same), works)
    if not found.low > NOT_WORSE:  # `not >` also refuses a NaN
        raise GateError(f"{verdict} The lower end must be above {NOT_WORSE:g}.")
    return verdict


def _pairs_of_runs(towers: tuple[Path, Path], runs: tuple[str | None, str | None]) -> GatePairs:
    with TemporaryDirectory(prefix="artsim-") as scratch:
        files = []
        for number, (tower, run_id) in enumerate(zip(towers, runs, strict=True)):
            folder = Path(scratch, str(number))
            folder.mkdir()
            found = None if run_id is None else download_files(run_id, RUN_FILES, folder)
            if found is None:
                raise GateError(
                    f"The run of {('the present model', 'the new model')[number]} does not say which works it was "
                    "fitted on. Compare both on pairs of your own by --pairs FILE."
                )
            works, record, judged = found
            files.append(RunFiles(works, record, judged, read_card(tower).refit))
        pairs = unfitted_pairs(files[1], files[0])
    if len(np.unique(pairs.same)) < 2:
        raise GateError(
            "The runs have no pairs of works that neither model was fitted on. A model that was refitted has seen all "
            "works of its run. Compare both on pairs of your own by --pairs FILE."
        )
    return pairs


def _in_words(found: Difference, pairs: int, works: int) -> str:
    where = f"on {counted(pairs, 'pair')} of {counted(works, 'work')}"
    if np.isnan(found.low):
        return f"The models cannot be compared {where}: there are too few readable pairs of each kind."
    return f"its AUC is {found.value:+.4f} {where} (95 % interval {found.low:+.4f} to {found.high:+.4f})."
