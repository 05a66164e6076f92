"""The machine's load while a run lasts, measured as MLflow does, and logged as the run's other metrics are.

MLflow's own thread asks the store for the run before each measurement, and ends at the first request that fails.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from artsim.errors import ArtsimError

PREFIX = "system/"

Log = Callable[[dict[str, float], int], None]


class SystemMetrics:
    """A thread that measures the load and logs it, from `start` to `stop`."""

    def __init__(self, run_id: str, log: Log, *, is_resumed: bool) -> None:
        """`log` receives metrics and their step. A resumed run goes on after its last step."""
        self._monitor: Any = SystemMetricsMonitor(run_id, resume_logging=is_resumed)  # type: ignore[no-untyped-call]
        self._log = log
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="artsim-system-metrics", daemon=True)

    def start(self) -> None:
        """Begin to measure."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._is_over.set()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        monitor, node = self._monitor, self._monitor.node_id
        prefix = PREFIX + (f"{node}/" if node else "")
        step = monitor._logging_step  # MLflow has no public name for it
        while True:
            for _ in range(monitor.samples_before_logging):
                monitor.collect_metrics()
                if self._is_over.wait(monitor.sampling_interval):
                    return
            metrics = {prefix + name: float(value) for name, value in monitor.aggregate_metrics().items()}
            for each in monitor.monitors:
                each.clear_metrics()
            try:
                self._log(metrics, step)
            except ArtsimError:  # the work itself tells of it at its next entry
                return
            step += 1
