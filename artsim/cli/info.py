"""`artsim info`: print the card of a tower."""

from __future__ import annotations

import click

from artsim.cli.options import SPELLING, exit_codes_help

EPILOG = f"""
\b
Examples:
  artsim info tower.onnx
  artsim info tower.onnx | jq .validation

{exit_codes_help()}
"""


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("model", metavar="TOWER.ONNX")
def info(model: str) -> None:
    """Print a tower's card as JSON: its validation metrics, threshold, calibration and origin."""
    import json
    from dataclasses import asdict
    from pathlib import Path

    from artsim.scoring.session import read_card

    click.echo(json.dumps(asdict(read_card(Path(model))), indent=2, ensure_ascii=False))
