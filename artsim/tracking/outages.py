"""What an error of the store means: an outage that ends some day, a step that is refused, or a run that is gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import requests
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

# Answers of a store that may take the same request later: not logged in, too slow, too many requests.
LATER = (401, 403, 408, 425, 429)
# The worker tries again by itself, with pauses. A request that hangs must not hold up the end of a run for long.
IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
CAUSES = (
    "connection refused",
    "connection reset",
    "connection aborted",
    "timed out",
    "no route to host",
    "name or service not known",
    "database or disk is full",
    "readonly database",
    "no space left on device",
)
_LOCAL = ("sqlite:", "file:")


class Verdict(Enum):
    """What to do with a step that could not be delivered."""

    AWAY = "try again later"
    REFUSED = "drop the step"
    GONE = "keep all steps, as the run does not exist any more"


def is_local(uri: str) -> bool:
    """Whether an address of a store is a file or folder of this machine."""
    scheme, found, _ = uri.partition(":")
    return uri.startswith(_LOCAL) or not found or len(scheme) == 1  # as in C:/mlruns


def verdict_on(error: Exception, client: MlflowClient, run_id: str) -> Verdict:
    """Decide what an error means. After a refusal, the store is asked for the run."""
    if _may_pass(error):
        return Verdict.AWAY
    try:
        run = client.get_run(run_id)
    except Exception as other:
        missing = isinstance(other, MlflowException) and other.error_code == "RESOURCE_DOES_NOT_EXIST"
        return Verdict.GONE if missing else Verdict.AWAY
    return Verdict.GONE if run.info.lifecycle_stage == "deleted" else Verdict.REFUSED


def answers(client: MlflowClient, run_id: str) -> bool:
    """Whether the tracking store answers, while the artifact store does not."""
    try:
        client.get_run(run_id)
    except Exception as error:
        return not _may_pass(error)
    return True


def _may_pass(error: Exception) -> bool:
    """Whether the same step may succeed later. Stores raise many kinds of errors; those of no kind may pass."""
    status = None
    if isinstance(error, MlflowException):
        status = int(error.get_http_status_code())  # type: ignore[no-untyped-call]
    elif isinstance(error, requests.RequestException):
        status = None if error.response is None else int(error.response.status_code)
    elif isinstance(error, FileNotFoundError | TypeError | ValueError | LookupError | AttributeError):
        return False
    return status is None or status >= 500 or status in LATER


def reason_of(error: Exception) -> str:
    """The cause of an error in a few words, without those of the libraries around it."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    for known in CAUSES:
        if known.lower() in text.lower():
            return known
    return "the request failed" if "failed with exception" in text else text[:200].rstrip(".")


@contextmanager
def impatient() -> Iterator[None]:
    """Let MLflow's requests fail soon, unless the user has set other limits."""
    before = {key: os.environ.get(key) for key in IMPATIENT}
    os.environ.update({key: value for key, value in IMPATIENT.items() if before[key] is None})
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
