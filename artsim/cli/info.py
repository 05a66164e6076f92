"""`artsim info`: print the card of a tower."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from artsim.cli.options import SPELLING, WithSwitches, exit_codes_help
from artsim.towers import BASE

if TYPE_CHECKING:
    from artsim.scoring.contract import Card

EPILOG = f"""
\b
Examples:
  artsim info tower.onnx
  artsim info tower.onnx | jq .validation
  artsim info models:/artsim@champion

{exit_codes_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("model", metavar="[MODEL]", default=str(BASE))
def info(model: str) -> None:
    """Print a tower's card as JSON: its validation metrics, threshold, calibration and origin.

    MODEL is what --model of other commands takes: an .onnx file, the folder of a model, or a model in MLflow such as
    models:/artsim@champion. Without MODEL, the card is that of the tower that comes with artsim.
    """
    import json

    from artsim.escaping import one_line
    from artsim.model_names import tower_file
    from artsim.scoring.session import read_card

    fields = _readable(read_card(tower_file(model)))
    lines = json.dumps(fields, indent=2, ensure_ascii=False).split("\n")
    if any(one_line(line) != line for line in lines):  # control characters; as \uXXXX the text is still JSON
        lines = [one_line(line) for line in json.dumps(fields, indent=2).split("\n")]
    click.echo("\n".join(lines))


def _readable(card: Card) -> dict[str, Any]:
    """The fields of a card, without the arrays that describe the training photographs."""
    from dataclasses import asdict

    fields = asdict(card)
    if card.photographs is not None:
        fields["photographs"].pop("training")
    return fields
