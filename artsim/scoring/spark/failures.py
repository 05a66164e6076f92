"""Spark's error texts as artsim's errors."""

from __future__ import annotations

import re

from artsim import errors
from artsim.errors import ArtsimError, DeviceError, OutputError, UsageError


def start_failure(error: str, log: str, master: str | None) -> ArtsimError:
    """The error for a session that does not start, from Spark's error and what it has logged."""
    said = f"{error}\n{log}"
    if "UnsupportedClassVersionError" in said:
        return UsageError("Spark does not start: it needs Java 17 or later. Set JAVA_HOME to such a Java.")
    # Spark stops when it gives up, and its error then says only that it has stopped.
    reason = "no master answers" if "stopped SparkContext" in said else _reason(said)
    if "Could not parse Master URL" in said or "Master must " in said:
        return UsageError(f"--master {master}: Spark knows no such master ({reason}).")
    return DeviceError(f"Spark does not start{f' at {master}' if master else ''}: {reason}.")


def job_failure(said: str) -> ArtsimError:
    """The error for a job that failed; an error of artsim on a worker keeps its type and message."""
    own = re.search(r"^artsim\.errors\.(\w+): (.*)$", said, re.MULTILINE)
    kind = getattr(errors, own[1], None) if own else None
    if own and isinstance(kind, type) and issubclass(kind, ArtsimError):
        return kind(own[2])
    if "No module named 'artsim'" in said:
        return DeviceError("the Python of Spark's workers has no artsim. docs/spark.md says how to install it there.")
    if "No space left on device" in said:
        return OutputError(f"can't be written: {_reason(said)}.")
    return DeviceError(f"Spark gave up: {_reason(said)}.")


def _reason(said: str) -> str:
    """The most telling line: the end of a worker's traceback, else Java's innermost cause, else the first line."""
    _, traceback, rest = said.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in rest.splitlines() if line.strip() and not line.startswith(" ")]
    if not traceback:
        causes = re.findall(r"^Caused by: (.*)$|^: (.*)$", said, re.MULTILINE)
        lines = [cause or first for cause, first in causes[-1:]] or lines
    return (lines[0] if lines else "no reason given").strip().rstrip(".")[:300]
