"""Trainings that end in the middle of each of their stages and are resumed: they give what others give at once."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest

from artsim.demo import paint
from artsim.scoring.familiarity import EmbeddedFold
from artsim.training.data.batches import LabelledImages, source_size
from artsim.training.loop.fit import fit, prepare
from artsim.training.loop.hooks import TrainingDisplay
from artsim.training.loop.journal import FOLDER
from artsim.training.monitor import Monitor
from artsim.training.networks.checkpoints import BEST, LAST, REFIT
from artsim.training.recipes import RECIPES, Recipe
from tests.command import eagerly
from tests.training.fits import RecordedFit

TUNED = replace(
    RECIPES["transfer"],
    tower="mobilenet",
    weights="none",
    image_size=64,
    embedding_size=16,
    batch_size=8,  # one step in an epoch
    works_per_artist=4,
    tune_epochs=2,
    epochs=2,
)
SCRATCH = replace(
    RECIPES["compact"],
    image_size=32,
    embedding_size=16,
    readout_share=0.0,
    batch_size=4,
    works_per_artist=2,
    epochs=3,
    mixed_precision="off",
)


class KilledError(BaseException):
    """Stands for the end of the process. Nothing in artsim catches it."""


class Killer(TrainingDisplay):
    """Ends a training at its nth event: a step of the optimiser, or the keeping of files."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def step(self, *_: object) -> None:
        self.count()

    def count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise KilledError


@dataclass(frozen=True)
class Trained:
    """A training that has ended; `kills` is the number of times that it was killed before."""

    folder: Path
    fitted: RecordedFit
    monitor: Monitor
    kills: int

    @property
    def losses(self) -> dict[tuple[str, int], float]:
        """The losses without evaluation, by metric and step."""
        return {
            (key, step): value for step, each in self.fitted.followed for key, value in each.items() if "loss" in key
        }


def works(size: int) -> LabelledImages:
    """Four works each by four artists."""
    paintings = [paint(artist, work) for artist in range(4) for work in range(4)]
    pixels = np.stack([np.asarray(painting.resize((size, size))) for painting in paintings])
    return LabelledImages(pixels, np.repeat(np.arange(4), 4))


def train(recipe: Recipe, folder: Path, at_step: int = 0, at_file: int = 0) -> Trained:
    """Train on two artists, killed at the nth step or file of each process, until a process gets to the end."""
    folder.mkdir(exist_ok=True)
    # The last epoch is the best, so a resumed run has to know how good those before were.
    fitted = RecordedFit(folder, iter([0.5, 0.6, 0.7, 0.8]))
    decoded, held_out = works(source_size(recipe)), works(recipe.image_size)
    train_works = LabelledImages(decoded.pixels[:8], decoded.labels[:8])
    unseen = LabelledImages(held_out.pixels[8:], held_out.labels[8:])
    for kills in range(100):
        hooks = replace(fitted.hooks, display=Killer(at_step), saved=Killer(at_file).count)
        try:
            return Trained(folder, fitted, fit(recipe, prepare(recipe, 0), train_works, unseen, hooks, seed=0), kills)
        except KilledError:
            assert (folder / FOLDER).is_dir()
    raise AssertionError("a process that is killed must have done some of the work")


def check_same(one: Trained, other: Trained, *names: str) -> None:
    """All that a training gives is the same to the last bit: towers, best epoch, losses, folds, embeddings."""
    for name in names:
        for left, right in zip(*(each.fitted.tower(name).get_weights() for each in (one, other)), strict=True):
            np.testing.assert_array_equal(left, right)
    assert one.monitor.state == other.monitor.state
    assert one.losses == other.losses
    for folds in zip(one.fitted.folds, other.fitted.folds[-len(one.fitted.folds) :], strict=True):
        for field in fields(EmbeddedFold):
            np.testing.assert_array_equal(*(getattr(fold, field.name) for fold in folds))
    described = [each.fitted.described[-1:] for each in (one, other)]
    for parts in zip(*described, strict=True):
        for left, right in zip(*parts, strict=True):
            np.testing.assert_array_equal(left, right)


@eagerly
@pytest.mark.parametrize(("changes", "at_step"), [({}, 3), ({"loss": "contrastive", "augment": "none"}, 8)])
def test_a_training_from_scratch_goes_on_after_the_last_epoch(
    changes: dict[str, str], at_step: int, tmp_path: Path, tiny_tower: None
) -> None:
    recipe = replace(SCRATCH, **changes)  # type: ignore[arg-type]
    killed = train(recipe, tmp_path / "killed", at_step=at_step)
    assert killed.kills == 2
    check_same(train(recipe, tmp_path / "whole"), killed, BEST, LAST)


@eagerly
def test_a_pretrained_tower_goes_on_in_its_tuning_and_keeps_it(tmp_path: Path) -> None:
    recipe = replace(TUNED, refit=False, epochs=1)
    killed = train(recipe, tmp_path / "killed", at_step=2)
    assert killed.kills == 2
    assert killed.fitted.said == ["tuning: resumed after epoch 1 of 2."]
    # What the lower half gives is not kept: it is computed again, with the features of the frozen network.
    assert killed.fitted.begun == ["features", "tuning", "features", "tuning", "features", "training", "training"]
    check_same(train(recipe, tmp_path / "whole"), killed, BEST, LAST)


@pytest.mark.slow
@eagerly
@pytest.mark.parametrize("moment", [{"at_step": 3}, {"at_file": 2}])
def test_a_refitted_tower_goes_on_in_each_of_its_stages(moment: dict[str, int], tmp_path: Path) -> None:
    """Each process is killed at its third step, or at its second file. `benchmarks/resumed.py` does it by SIGKILL."""
    whole = train(TUNED, tmp_path / "whole")
    killed = train(TUNED, tmp_path / "killed", **moment)
    assert killed.kills > 4
    check_same(whole, killed, BEST, LAST, REFIT)


@eagerly
def test_a_damaged_file_is_told_and_its_stage_is_done_again(tmp_path: Path) -> None:
    recipe = replace(
        RECIPES["readout"], tower="mobilenet", weights="none", image_size=64, embedding_size=8, refit=False
    )
    whole = train(recipe, tmp_path / "whole")
    killed = tmp_path / "killed"
    shutil.copytree(whole.folder / FOLDER, killed / FOLDER)
    for path in (killed / FOLDER).iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    again = train(recipe, killed)
    told = [line for line in again.fitted.said if "damaged (its SHA-256 is not the one" in line]
    assert [Path(line.partition(":")[0]).name for line in told] == ["fit-1.npz", "features-frozen.npz"]
    check_same(whole, again, BEST)
