"""The plan of a training: its order, its titles, and the time left by a clock of the test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from artsim.training.loop.plan import Plan, Stage
from artsim.training.loop.pretrained import plan_fits
from artsim.training.recipes import RECIPES


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_counts_the_stages_that_were_measured() -> None:
    clock = Clock()
    tunings = [Stage("tuning", fit, 2, 10, 2, "tuning") for fit in (1, 2)]
    heads = [Stage("training", fit, 2, 100, 10, group) for fit, group in ((1, "train"), (2, "refit"))]
    plan = Plan([tunings[0], heads[0], tunings[1], heads[1]], clock)
    plan.begin("tuning", 1)
    clock.now = 60  # of the first step, which traces the graph, nothing is taken
    plan.advance(1)
    assert plan.seconds_left is None
    clock.now += 6
    plan.advance(4)  # 2 s a step: six steps of this tuning and ten of the next are left
    assert plan.seconds_left == pytest.approx(32)
    plan.begin("training", 1)
    plan.advance(1)
    assert plan.seconds_left is None
    clock.now += 9
    plan.advance(91)
    clock.now += 9
    plan.advance(91)  # an evaluation takes time too: 0.2 s a step
    assert plan.seconds_left == pytest.approx(9 * 0.2 + 20 + 100 * 0.2)


def test_a_resumed_stage_has_less_to_do() -> None:
    clock = Clock()
    plan = Plan([Stage("training", 1, 1, 100, 10, "train")], clock)
    plan.begin("training", 1, done=80)
    plan.advance(81)
    clock.now = 1
    plan.advance(82)
    assert plan.seconds_left == pytest.approx(18)


def test_earlier_stages_of_a_kind_count_a_tenth() -> None:
    """The first features take longer than those after them."""
    clock = Clock()
    plan = Plan([Stage("features", fit, 2, 100) for fit in (0, 1, 2)], clock)
    plan.begin("features", 0)
    plan.advance(0)
    clock.now += 1000
    plan.advance(100)
    assert plan.seconds_left == pytest.approx(2 * 1000)
    plan.begin("features", 1)
    plan.advance(0)
    clock.now += 45
    plan.advance(45)
    assert plan.seconds_left == pytest.approx((55 + 100) * (100 + 45) / (10 + 45))


def test_epochs_are_counted_through_all_stages_and_through_those_of_a_group() -> None:
    recipe = replace(RECIPES["transfer"], tune_epochs=4, epochs=80)
    plan = plan_fits(recipe, [(300, "train"), (250, "calibration"), (240, "calibration"), (320, "refit")], 320)
    tuning = plan.begin("tuning", 3)
    assert tuning.title == "fit 3 of 4: tuning"
    assert plan.epoch_of_group(tuning, 1) == 9
    assert plan.epoch_of_all(tuning, 1) == 2 * (4 + 80) + 1
    head = plan.begin("training", 3)
    assert plan.epoch_of_group(head, 5) == 85
    assert plan.begin("features", 0).title == "features"
    assert len({stage.key for stage in plan.stages}) == len(plan.stages)


def test_a_readout_alone_has_features_and_no_epochs() -> None:
    plan = plan_fits(RECIPES["readout"], [(300, "train"), (320, "refit")], 320)
    assert [(stage.name, stage.fit) for stage in plan.stages] == [("features", 0)]
