"""What a resumed training takes from the run that it goes on with: its folders and its selection."""

from __future__ import annotations

import shutil
from pathlib import Path

from artsim.collection.catalogue import DEMO, read_catalogue
from artsim.collection.prepare import SelectionOptions
from artsim.collection.selection import Selection, read_selection
from artsim.collection.works import Reading
from artsim.errors import InputError
from artsim.export.run_record import RECORD_FILE, SELECTION_FILE, RunRecord
from artsim.files import writing
from artsim.messages import Say
from artsim.tracking.resumed import RecordedRun, restore_checkpoints
from artsim.training.loop.hooks import Outputs


def resumed_outputs(recorded: RecordedRun, say: Say) -> Outputs:
    """The folders of the run, without what a killed process left half written.

    Raises:
        InputError: the folder of checkpoints is missing, and the store has no copy.
    """
    restore_checkpoints(recorded, (RECORD_FILE, SELECTION_FILE), say)
    with writing(recorded.summaries_dir):
        recorded.summaries_dir.mkdir(parents=True, exist_ok=True)
    for half in (*recorded.checkpoint_dir.rglob(".*.part"), *recorded.checkpoint_dir.glob(".saving-*")):
        with writing(half):
            shutil.rmtree(half) if half.is_dir() else half.unlink()
    return Outputs(recorded.checkpoint_dir, recorded.summaries_dir)


def resumed_selection(recorded: RecordedRun, options: SelectionOptions, say: Say) -> Selection:
    """The selection of the run, from its folder of checkpoints.

    Raises:
        InputError: the file is missing or was changed.
    """
    if options.data_file_path.lower() == DEMO:  # the cache folder may have been emptied meanwhile
        read_catalogue(DEMO, None, artists=options.num_of_artists, works=options.num_of_images_per_artist)
    path = recorded.checkpoint_dir / SELECTION_FILE
    record = RunRecord.read(recorded.checkpoint_dir)
    found = read_selection(path, Path(record.data_dir), Reading(say, qualified=options.qualified))
    if not isinstance(found, Selection) or found.digest != recorded.selection_sha256:
        raise InputError(f"{path}: not the selection that run {recorded.id} began with. Start a new run.")
    return found
