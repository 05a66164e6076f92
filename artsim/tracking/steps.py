"""What a run logs, as steps that can be kept on disk and delivered later.

A step is complete: it holds the values, the time at which they were measured, and the path of the file to log. So it
can be delivered by another process, and more than once without harm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import uuid4

WAITING = "waiting:"  # begins the ID of a model that the store has not made yet


class Lane(Enum):
    """The store that a step needs. Steps of one lane are delivered in order."""

    RECORDS = "tracking store"
    FILES = "artifact store"


class Kind(Enum):
    """What a step logs; see `delivery.Delivery` for the data of each kind."""

    NAME = "name"
    PARAMS = "params"
    METRICS = "metrics"
    TAGS = "tags"
    DATASET = "dataset"
    USED_MODEL = "used model"
    PARENT = "parent"
    FILE = "file"
    TABLE = "table"
    TOWER = "tower"
    CHECKPOINT = "checkpoint"
    REMOVAL = "removal"
    END = "end"


_OF_FILES = (Kind.FILE, Kind.TABLE, Kind.TOWER, Kind.REMOVAL)


@dataclass(frozen=True)
class Step:
    """One thing to log. `path` is its file, or its folder of files."""

    kind: Kind
    data: Mapping[str, Any]
    path: Path | None = None
    id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def model(self) -> str | None:
        """The step whose model this one needs; None: no step's."""
        found = str(self.data.get("model") or "")
        return found.removeprefix(WAITING) if found.startswith(WAITING) else None

    @property
    def lane(self) -> Lane:
        """The lane of the step. Metrics of a model wait for the model's files."""
        return Lane.FILES if self.kind in _OF_FILES or self.model else Lane.RECORDS

    @property
    def place(self) -> str | None:
        """What a later step replaces: the artifact, or the checkpoint, that it logs; None: it replaces nothing."""
        if self.kind is Kind.FILE and self.path is not None:
            return f"{self.data['folder'] or ''}/{self.path.name}"
        return str(self.data["name"]) if self.kind is Kind.CHECKPOINT else None

    def to_json(self) -> str:
        """The step without its path."""
        return json.dumps({"kind": self.kind.value, "id": self.id, "data": self.data})

    @classmethod
    def from_json(cls, text: str, path: Path | None) -> Step:
        """Read a step.

        Raises:
            ValueError, KeyError, TypeError: the text is no step.
        """
        found = json.loads(text)
        return cls(Kind(found["kind"]), found["data"], path, found["id"])
