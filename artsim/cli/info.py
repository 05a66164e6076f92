"""`artsim info`: print the metadata of a tower."""

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
    """Print the metadata of an ONNX tower as JSON.

    The metadata include the preprocessing, the distance, the threshold, the calibration and the validation metrics.
    """
    import json
    from dataclasses import asdict
    from pathlib import Path

    from artsim.scoring.session import read_card

    click.echo(json.dumps(asdict(read_card(Path(model))), indent=2, ensure_ascii=False))
