"""The courier: a thread that delivers a run's steps from its outbox to the store, and waits while the store is away.

The run puts a step into the outbox and goes on. So neither a slow store nor an outage holds up the training.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from artsim.errors import OutputError, TrackingError
from artsim.escaping import masked
from artsim.messages import Say, counted
from artsim.tracking.delivery import Delivery
from artsim.tracking.outages import Verdict, answers, reason_of, verdict_on
from artsim.tracking.outbox import Outbox
from artsim.tracking.steps import WAITING, Kind, Lane, Step

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between tries; each pause is twice the one before
LAST_PAUSE = 2.0  # between tries while the end of a run waits
CATCH_UP = 60.0  # seconds that the end of a run waits for a store that is away
MOST_METRICS = 500  # in one request; MLflow takes 1,000
SETTLING = 90.0  # seconds for the first files: three requests that time out

Batch = list[tuple[int, Step]]


class Courier:
    """Delivers the steps of one run; `post` may be called by several threads."""

    def __init__(self, outbox: Outbox, delivery: Delivery, say: Say) -> None:
        self._outbox = outbox
        self._delivery = delivery
        self._say = say
        self._changed = threading.Condition()
        self._retry_at: dict[Lane, float] = {}  # when lanes whose store is away are tried again
        self._away: set[Lane] = set()
        self._pause = FIRST_PAUSE
        self._away_since: float | None = None
        self._delivered = 0  # since the outage began
        self._last_success = 0.0
        self._reason = ""
        self._lost = 0
        self._is_gone = False
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="artsim-courier", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def post(self, step: Step) -> str:
        """Put a step into the outbox; return the ID by which later steps name the model that it makes."""
        if self._is_gone:
            return WAITING + step.id
        try:
            self._outbox.put(step)
        except OutputError as error:
            self._do_without_outbox(step, error)
        with self._changed:
            self._changed.notify_all()
        return WAITING + step.id

    def settle(self) -> None:
        """Wait until the store has all steps, or is away.

        Raises:
            TrackingError: the tracking store answers, but the artifact store does not take files.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._outbox or self._is_away or self._is_gone, SETTLING)
            if self._away == {Lane.FILES}:
                shown = self._outbox.about.shown
                raise TrackingError(
                    f"The artifact store of {shown} cannot be used: {self._reason}. Check the server, or name another "
                    "store by MLFLOW_TRACKING_URI."
                )

    def finish(self, patience: float = CATCH_UP) -> str | None:
        """Wait until the store has all steps. Return what it lacks, in words; None: it has everything.

        There is no limit of time while the store takes steps. While it is away, the wait ends after `patience` s.
        """
        self._wait_for_the_rest(patience)
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=10)  # a request of it may be on its way
        self._outbox.close()
        lost = f"{counted(self._lost, 'entry is', 'entries are')} lost. " if self._lost else ""
        if not self._outbox:
            return lost or None
        run, folder = self._outbox.about.run, self._outbox.folder
        next_run = (
            "The store does not have the run any more."
            if self._is_gone
            else "The next artsim train, export or register with this store delivers them."
        )
        return f"{lost}{self._outbox.size()} of run {run} wait in {folder}. {next_run}"

    def drain(self, seconds: float) -> None:
        """Deliver in this thread, until the store has all steps or is away, or the time is over."""
        deadline = time.monotonic() + seconds
        while self._outbox and not self._is_away and not self._is_gone and time.monotonic() < deadline:
            self._deliver_once(deadline)

    @property
    def _is_away(self) -> bool:
        return self._away_since is not None

    def _wait_for_the_rest(self, patience: float) -> None:
        began, is_told = time.monotonic(), False
        with self._changed:
            while self._outbox and not self._is_gone and self._thread.is_alive():
                if self._is_away:
                    if time.monotonic() >= max(began, self._last_success) + patience:
                        return
                    if not is_told:
                        self._say_waiting(patience)
                        is_told = True
                    soon = time.monotonic() + LAST_PAUSE
                    self._retry_at = {lane: min(moment, soon) for lane, moment in self._retry_at.items()}
                    self._changed.notify_all()
                self._changed.wait(LAST_PAUSE / 4)

    def _say_waiting(self, patience: float) -> None:
        if patience:
            number = counted(len(self._outbox), "entry", "entries")
            self._say(f"Waiting up to {patience:.0f} s for {self._outbox.about.shown}, which lacks {number} …")

    def _work(self) -> None:
        while not self._is_closing:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing or self._has_work(), self._seconds_to_wait())
            self._deliver_once()

    def _has_work(self) -> bool:
        """Whether a step waits whose store is not away, or may have come back."""
        now = time.monotonic()
        lanes = {step.lane for _, step in self._outbox.steps()}
        return not self._is_gone and any(self._retry_at.get(lane, 0.0) <= now for lane in lanes)

    def _seconds_to_wait(self) -> float:
        moments = [moment - time.monotonic() for moment in self._retry_at.values()]
        return max(0.05, min(moments, default=LONGEST_PAUSE))

    def _deliver_once(self, deadline: float = float("inf")) -> None:
        """Try each step once, in order, except those whose store is away."""
        now = time.monotonic()
        away = {lane for lane, moment in self._retry_at.items() if moment > now}
        tried: set[Lane] = set()
        for batch in _batches(self._outbox.steps()):
            if self._is_closing or self._is_gone or time.monotonic() > deadline:
                return
            lane = batch[0][1].lane
            if lane in away or not self._is_ready(batch[0][1]):
                continue
            tried.add(lane)
            if found := self._deliver(batch):
                away |= found
                self._retry_at |= dict.fromkeys(found, time.monotonic() + self._pause)
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
        with self._changed:
            for lane in tried - away:
                self._retry_at.pop(lane, None)
            if self._is_away and not self._outbox:
                self._end_outage()
            self._changed.notify_all()

    def _is_ready(self, step: Step) -> bool:
        """Whether the store has the model that a step names, or never gets it."""
        waiting = {each.id for _, each in self._outbox.steps() if each.kind is Kind.TOWER}
        return step.model is None or step.model not in waiting

    def _deliver(self, batch: Batch) -> set[Lane]:
        """Deliver steps; return the lanes whose store is away."""
        taken = [(number, step) for number, step in batch if self._outbox.take(number)]
        try:
            if taken:
                self._send([step for _, step in taken])
        except Exception as error:
            return self._cope_with(error, taken)
        finally:
            for number, _ in batch:
                self._outbox.give_back(number)
        self._remove(taken)
        return set()

    def _send(self, steps: Sequence[Step]) -> None:
        if len(steps) > 1:
            self._delivery.metrics(steps)
        else:
            self._delivery(steps[0])

    def _remove(self, batch: Batch) -> None:
        with self._changed:
            for number, _ in batch:
                self._outbox.remove(number)
            self._delivered += len(batch)
            self._pause, self._last_success = FIRST_PAUSE, time.monotonic()
            self._changed.notify_all()

    def _cope_with(self, error: Exception, batch: Batch) -> set[Lane]:
        """Wait after an outage. Drop a step that the store refuses, so that it does not hold up the others."""
        verdict = verdict_on(error, self._delivery.client, self._delivery.run_id)
        shown, step = self._outbox.about.shown, batch[0][1]
        self._reason = masked(reason_of(error))
        if verdict is Verdict.AWAY:
            only_files = step.lane is Lane.FILES and answers(self._delivery.client, self._delivery.run_id)
            lanes = {Lane.FILES} if only_files else set(Lane)
            self._begin_outage(lanes)
            return lanes
        if verdict is Verdict.GONE:
            self._is_gone = True
            self._say(f"{shown} does not have run {self._outbox.about.run} any more. The work goes on without it.")
            return set(Lane)
        if len(batch) > 1:
            return {lane for each in batch for lane in self._deliver([each])}
        if step.kind is not Kind.REMOVAL:
            self._lost += 1
            self._say(f"{shown} refuses a {step.kind.value} of the run, which is not logged: {self._reason}.")
        self._remove(batch)
        return set()

    def _begin_outage(self, lanes: set[Lane]) -> None:
        with self._changed:
            is_first, self._away = self._away_since is None, lanes
            if is_first:
                self._away_since, self._delivered = time.monotonic(), 0
            self._changed.notify_all()
        if is_first:
            what = "artifact store of " if lanes == {Lane.FILES} else "tracking store "
            self._say(
                f"The {what}{self._outbox.about.shown} is away ({self._reason}). The work goes on. What it logs waits "
                f"in {self._outbox.folder}."
            )

    def _end_outage(self) -> None:
        minutes = (time.monotonic() - (self._away_since or 0.0)) / 60
        self._away_since, self._away = None, set()
        self._retry_at.clear()
        delivered = counted(self._delivered, "entry that waited is", "entries that waited are")
        self._say(f"{self._outbox.about.shown} is back after {minutes:.1f} min. The {delivered} delivered.")

    def _do_without_outbox(self, step: Step, error: OutputError) -> None:
        """Deliver a step at once, in this thread, because the disk of the outbox is full; if that fails, it is lost."""
        with self._changed:
            is_next = self._changed.wait_for(lambda: not self._outbox or self._is_away or self._is_gone, CATCH_UP)
        if is_next and not self._is_away and not self._is_gone:
            try:
                self._send([step])
            except Exception as failed:
                self._reason = masked(reason_of(failed))
            else:
                return
        self._lost += 1
        if self._lost == 1:
            self._say(f"{error} Until it can be, what the run logs while the store is away is lost. The work goes on.")


def _batches(steps: Sequence[tuple[int, Step]]) -> Iterator[Batch]:
    """The steps in order, with neighbouring metrics in one batch."""
    batch: Batch = []
    metrics = 0
    for number, step in steps:
        is_plain = step.kind is Kind.METRICS and step.model is None and not step.data["is_resumed"]
        size = len(step.data["metrics"]) if is_plain else MOST_METRICS + 1
        if batch and metrics + size > MOST_METRICS:
            yield batch
            batch, metrics = [], 0
        batch.append((number, step))
        metrics += size
    if batch:
        yield batch
