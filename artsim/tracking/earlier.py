"""What earlier runs could not deliver to the store, and the next command does."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient

from artsim.errors import OutputError
from artsim.locking import only_one
from artsim.messages import Say
from artsim.tracking.courier import Courier
from artsim.tracking.delivery import Delivery
from artsim.tracking.outages import impatient
from artsim.tracking.outbox import About, Outbox, waiting_outboxes
from artsim.tracking.store import check_store, silence_logs

SECONDS = 300.0  # for each outbox; what is left waits for the command after this one


def deliver_earlier(say: Say) -> None:
    """Deliver the outboxes of earlier runs to the store.

    An outbox for another store is kept, and told. So is one of a run that the store does not have any more. One whose
    process is running is left to it.

    Raises:
        TrackingError: there are outboxes for the store, and it cannot be reached.
    """
    uri = mlflow.get_tracking_uri()
    for folder, about in waiting_outboxes():
        if about.store != About.of(about.run, uri).store:
            say(
                f"{folder}: entries for another tracking store wait here, {about.shown}. A command with that store "
                "delivers them."
            )
            continue
        silence_logs()
        check_store()
        try:
            with only_one(folder), impatient():
                _deliver(folder, about, say)
        except OutputError:  # its process is running
            continue


def _deliver(folder: Path, about: About, say: Say) -> None:
    outbox = Outbox(folder, about)
    if not outbox:
        shutil.rmtree(folder, ignore_errors=True)
        return
    say(f"Delivering {outbox.size()} of run {about.run}, which its store did not get …")
    courier = Courier(outbox, Delivery(MlflowClient(), about.run, outbox.models, outbox.keep_model), say)
    courier.drain(SECONDS)
    if (left := courier.finish(0)) is not None:
        say(f"{left} Remove the folder to give them up.")
