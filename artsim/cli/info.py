"""`artsim info`: what a tower is, or what this installation can do."""

from __future__ import annotations

import click

from artsim.cli.options import SPELLING, WithSwitches, switch
from artsim.cli.sections import further_help

EPILOG = f"""
\b
Examples:
  artsim info
  artsim info tower.onnx
  artsim info models:/artsim@champion
  artsim info tower.onnx --json | jq .validation

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("model", metavar="[MODEL]", required=False)
@switch("--json", "as_json", help="Print everything that is known, as JSON.")
def info(model: str | None, as_json: bool) -> None:
    """Say what a tower is, or what this installation can do.

    MODEL is what --model of other commands takes: an .onnx file, the folder of a model, or a model in MLflow such as
    models:/artsim@champion. Its recipe, threshold and accuracy are printed. With --json, so is its whole card: all
    validation metrics, calibrations and its origin.

    Without MODEL, versions are printed, whether CUDA works, which environment managers mlflow run can use, and where
    files are cached.
    """
    import json

    from artsim.cli.progress import shown_lines
    from artsim.escaping import one_line
    from artsim.jobs.info import installation_info, tower_info

    found = installation_info() if model is None else tower_info(model)
    if not as_json:
        for line in shown_lines(found.lines):
            click.echo(line)
        return
    lines = json.dumps(found.fields, indent=2, ensure_ascii=False).split("\n")
    if any(one_line(line) != line for line in lines):  # control characters; as \uXXXX the text is still JSON
        lines = [one_line(line) for line in json.dumps(found.fields, indent=2).split("\n")]
    click.echo("\n".join(lines))
