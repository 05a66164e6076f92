"""What a sweep leaves in its run, and the text that it prints at its end."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from artsim.escaping import markdown
from artsim.export.report import auc_text
from artsim.files import replacing
from artsim.jobs.steps.train_log import PAIRS_FILE
from artsim.messages import counted
from artsim.scoring.contract import Card
from artsim.sweeps.study import ENDED, Trial
from artsim.tracking.linked_models import experiment_of
from artsim.tracking.run import Run
from artsim.tracking.store import ui_command

TRIALS_FILE = "trials.csv"
SHOWN_TRIALS = 10  # in the text and the description


def trials_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """The trials as a table, best first: number, state, value, minutes, the values of the flags, run and reason."""
    rows = [
        {
            "trial": each.number,
            "state": each.state,
            "value": each.value if each.state == "complete" else None,
            "minutes": each.minutes,
            **each.values,
            "run_id": each.run_id,
            "reason": each.reason,
        }
        for each in trials
        if each.state != "waiting"
    ]
    table = pd.DataFrame(rows)
    return table.sort_values(["value", "trial"], ascending=[False, True], na_position="last", ignore_index=True)


def in_words(trial: Trial, place: str, best: Trial | None) -> str:
    """A trial that has ended, in one line; `place` is how many have, such as `3 of 20`."""
    found = {"complete": f"AUC {trial.value or 0:.4f}", "failed": f"failed: {trial.reason}"}.get(
        trial.state, trial.state
    )
    parts = [f"{place}: trial {trial.number}, {found}"]
    if trial.minutes is not None:
        parts.append(f"{trial.minutes:.1f} min")
    if best is not None:
        parts.append(f"best {best.value:.4f}, trial {best.number}")
    return f"{'  '.join(parts)}  {values_in_words(trial.values)}"


def values_in_words(values: Mapping[str, object]) -> str:
    """The values of flags, as in `--readout-shift 0.5`."""
    shown = {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in values.items()}
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in shown.items())


def log_news(run: Run, trials: Sequence[Trial], best: Trial | None) -> None:
    """Log the values of trials that have ended, as curves over their numbers."""
    for trial in trials:
        if trial.state == "complete" and trial.value is not None:
            run.log_metrics({"sweep/value": trial.value, "sweep/minutes": trial.minutes or 0.0}, trial.number)
    if best is not None and best.value is not None:
        run.set_tags({"artsim.best_trial": str(best.number), "artsim.best_run": str(best.run_id)})


def log_sweep(run: Run, trials: Sequence[Trial], best: Trial, card: Card, folder: Path) -> None:
    """Log the table of trials, the best values, and the metrics of the tower that they gave."""
    counts = {state: sum(each.state == state for each in trials) for state in ENDED}
    ended = sum(counts.values())
    totals = {"sweep/best_value": best.value or 0.0, "sweep/best_trial": float(best.number)}
    metrics = {**card.validation, **totals, **{f"sweep/{state}": float(n) for state, n in counts.items()}}
    run.log_metrics(metrics, ended)
    run.set_tags({f"artsim.best.{name}": str(value) for name, value in best.values.items()})
    table = trials_table(trials)
    with replacing(folder / TRIALS_FILE) as file:
        table.to_csv(file, index=False, lineterminator="\n")
    run.log_file(folder / TRIALS_FILE)
    run.set_description("\n".join(_description(run, table, best, card)))


def _description(run: Run, table: pd.DataFrame, best: Trial, card: Card) -> list[str]:
    number = int(table["state"].isin(ENDED).sum())
    page = f"#/experiments/{experiment_of(run.id)}/runs/{best.run_id}"
    return [
        f"A sweep of {counted(number, 'trial')}. The best is trial {best.number}, run [{best.run_id}]({page}): AUC "
        f"{auc_text(card.validation, _split_of(card))} of {_split_of(card)}.",
        "",
        f"Its flags: `{values_in_words(best.values)}`.",
        "",
        *_markdown_table(table.head(SHOWN_TRIALS)),
        "",
        f"Score pairs with its tower: `artsim-score --model runs:/{run.id} pairs.csv`.",
    ]


def _split_of(card: Card) -> str:
    return "val_unseen" if "val_unseen/auc" in card.validation else "val_seen"


def _markdown_table(table: pd.DataFrame) -> list[str]:
    shown = _shown(table)
    rows = [f"| {' | '.join(markdown(str(cell)) for cell in row)} |" for row in shown.itertuples(index=False)]
    return [f"| {' | '.join(shown.columns)} |", f"|{'---|' * len(shown.columns)}", *rows]


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """The columns for people, with rounded numbers."""
    shown = table.drop(columns=["run_id", "reason"]).rename(columns={"value": "AUC"})
    for name in shown.select_dtypes("float"):
        form = "{:.4f}" if name == "AUC" else "{:.1f}" if name == "minutes" else "{:.4g}"
        shown[name] = ["" if pd.isna(value) else form.format(value) for value in shown[name]]
    return shown.astype(str)


def report(run: Run, trials: Sequence[Trial], best: Trial, tower: Path, card: Card, data_dir: Path) -> str:
    """The best trials, the metrics of the tower, and the next commands."""
    folder = tower.parent.absolute() if run.is_launched else tower.parent
    data = data_dir.absolute() if run.is_launched else data_dir
    score = ["artsim-score", "--model", str(folder / tower.name), "--data-dir", str(data), str(folder / PAIRS_FILE)]
    steps = [
        run.page or ui_command(anywhere=run.is_launched),
        shlex.join(score),
        shlex.join(["artsim", "register", run.id]),
    ]
    table, ended = trials_table(trials), [each for each in trials if each.state in ENDED]
    split = _split_of(card)
    return "\n".join(
        [
            "",
            _shown(table.head(SHOWN_TRIALS)).to_string(index=False),
            "",
            f"Trial {best.number} is the best of {len(ended)}: {values_in_words(best.values)}",
            f"Its tower: {folder / tower.name}, {split}/auc {auc_text(card.validation, split)}. The best of several "
            "trials is chosen by these works, so its AUC is somewhat too high.",
            "",
            f"The sweep is run {run.id}, its best trial run {best.run_id}. Next:",
            *(f"  {step}" for step in steps),
        ]
    )
