"""Chromium without windows, driven by its own protocol through two pipes, so that no package is needed.

The page runs under its own policy: the protocol evaluates scripts outside of it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

UNTIL = """new Promise((done) => {
  const end = Date.now() + %d;
  const look = () => %s ? done("") : Date.now() > end ? done(document.body.innerText) : setTimeout(look, 50);
  look();
})"""


class Tab:
    """An open tab. `console` has what it said, `requests` the addresses that it asked for."""

    def __init__(self, commands: int, events: IO[bytes]) -> None:
        self.console: list[str] = []
        self.requests: list[str] = []
        self._commands = commands
        self._events = events
        self._count = 0
        self._session: str | None = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come before it are kept."""
        self._count += 1
        command: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (message := self._read()).get("id") != self._count:
            self._keep(message)
        assert "error" not in message, message["error"]
        result: dict[str, Any] = message["result"]
        return result

    def open(self, address: str) -> None:
        """Open an address, and wait for its end of loading."""
        self.send("Page.navigate", url=address)
        self.run("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))")

    def run(self, script: str) -> Any:
        """The value of an expression, or of its promise."""
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition: str, seconds: int = 60) -> None:
        """Wait until an expression is true."""
        found = self.run(UNTIL % (1000 * seconds, condition))
        assert found == "", f"{condition} never came true. The page shows:\n{found}"

    def choose(self, selector: str, *paths: str) -> None:
        """Choose files in a field, as a user does."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        field = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=field, files=[str(Path(path).resolve()) for path in paths])

    def _read(self) -> dict[str, Any]:
        text = b""
        while (sign := self._events.read(1)) != b"\0":
            assert sign, "Chromium has ended"
            text += sign
        message: dict[str, Any] = json.loads(text)
        return message

    def _keep(self, message: dict[str, Any]) -> None:
        method, given = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.console.append(json.dumps(given))


@contextmanager
def tab(profile: Path, arguments: Sequence[str] = ()) -> Iterator[Tab]:
    """A tab of a new Chromium with a profile of its own."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        pytest.fail("this test needs Chromium: apt-get install chromium", pytrace=False)
    read_commands, commands = os.pipe()
    events, write_events = os.pipe()
    words = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
        f"--user-data-dir={profile}", *arguments,
    ]  # fmt: skip
    script = f'exec "$@" 3<&{read_commands} 4>&{write_events}'
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", *words],
        pass_fds=(read_commands, write_events),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(read_commands)
    os.close(write_events)
    try:
        with os.fdopen(events, "rb") as replies:
            yield Tab(commands, replies)
    finally:
        process.kill()
        process.wait()
        os.close(commands)
