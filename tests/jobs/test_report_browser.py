"""The report in a browser: filters, matrix, map and keyboard, in the sandboxed frame in which MLflow shows artifacts.

A script beside the page drives it by events and writes down what it finds; Chromium prints the page afterwards. So no
package is needed to drive the browser.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.command import artsim_in_process
from tests.towers import adaptable_card, write_paintings, write_tower

NAMES = [f"{artist}/{work}.png" for artist in ("Ada <Eve>", "Bo", "Cy", "Di") for work in range(6)]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

DRIVER = """
addEventListener("load", () => setTimeout(async () => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const pause = () => new Promise((done) => setTimeout(done, 120));
  const cards = () => all("#cards > li").length, found = () => one("#found").textContent;
  const key = async (name, shiftKey = false) => {
    const init = { key: name, shiftKey, bubbles: true, cancelable: true };
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", init));
    await pause();
  };
  const set = async (selector, value) => {
    one(selector).value = value;
    one(selector).dispatchEvent(new Event("input", { bubbles: true }));
    await pause();
  };
  const scale = () => one("#canvas button").style.transform;
  const results = {};
  try {
    results.first = [cards(), found()];
    one("input[value=near]").click(); await pause();
    results.all = found();
    one("#more").click(); await pause();
    results.more = cards();
    await set("select[name=outcome]", "00");
    results.outcome = new Set(all("#cards .outcome > span:first-child").map((each) => each.textContent)).size;
    await set("select[name=outcome]", "");
    await set("select[name=one]", "0");
    await set("select[name=other]", "1");
    results.artists = found();
    await set("input[name=high]", "0.0001");
    results.none = found();
    one("button[type=reset]").click(); await pause();
    results.reset = found();
    one(".confusion button").focus();
    await key("ArrowDown"); await key("ArrowRight");
    results.cell = document.activeElement.title;
    document.activeElement.click(); await pause();
    results.opened = [found(), document.activeElement.textContent];
    one("nav a[href='#map']").click(); await pause();
    results.went = document.activeElement.textContent;
    const whole = scale();
    const frame = one("#canvas").getBoundingClientRect();
    const at = { clientX: frame.left + 90, clientY: frame.top + 90, bubbles: true, cancelable: true };
    one("#canvas").dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: -300 }));
    await pause();
    results.wheel = scale() !== whole;
    const zoomed = scale();
    one("#zoom-out").click(); await pause();
    results.button = scale() !== zoomed;
    one("#canvas button[tabindex='0']").focus();
    await key("0");
    results.whole = scale() === whole;
    await key("+");
    results.plus = scale() !== whole;
    const unmoved = scale();
    await key("ArrowRight", true);
    results.pan = scale() !== unmoved;
    const before = document.activeElement;
    for (const name of ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"]) await key(name);
    results.moved = document.activeElement !== before || all("#canvas button").length;
    document.activeElement.click(); await pause();
    results.chosen = [one("#detail .names").textContent, all("#detail .likes li").length];
    one("#highlight").selectedIndex = 1;
    one("#highlight").dispatchEvent(new Event("change")); await pause();
    results.dim = all("#canvas .dim").length;
  } catch (error) { results.error = String(error); }
  parent.postMessage(JSON.stringify(results), "*");
}, 300));
"""
# Chromium draws no frames while it runs ahead of time, so a frame is a moment.
FRAMES = "<script>window.requestAnimationFrame = (draw) => setTimeout(draw, 16);</script>"
FRAME = """<!doctype html><meta charset="utf-8"><title>frame</title><pre id="results"></pre>
<iframe sandbox="allow-scripts" style="width:1200px;height:900px" srcdoc="{page}"></iframe>
<script>
addEventListener("message", (event) => {{ document.getElementById("results").textContent = event.data; }});
</script>
"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("this test needs Chromium: apt-get install chromium", pytrace=False)
    return found


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scores of all pairs of 24 works by four artists, and their report."""
    folder = tmp_path_factory.mktemp("browser")
    model = str(write_tower(folder / "tower.onnx", adaptable_card()))
    for name in NAMES:
        (folder / "im" / name).parent.mkdir(parents=True, exist_ok=True)
    write_paintings(folder / "im", *NAMES)
    lines = [f"{one},{other},{int(one.split('/')[0] == other.split('/')[0])}" for one, other in combinations(NAMES, 2)]
    pairs = folder / "pairs.csv"
    pairs.write_text("\n".join(["image1,image2,sameArtist", *lines]) + "\n")
    outputs = ["-o", str(folder / "scores.csv"), "--report", str(folder / "report.html"), "--quiet"]
    works = ["--works", str(folder / "im"), "--data-dir", str(folder / "im")]
    assert artsim_in_process("score", str(pairs), "--model", model, *works, *outputs) == 0
    return folder


@pytest.fixture(scope="module")
def page(scored: Path) -> str:
    return (scored / "report.html").read_text(encoding="utf-8")


def opened(browser: str, folder: Path, text: str) -> tuple[str, str]:
    """A page after its scripts have run, and what the browser's console said."""
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr", "--window-size=1280,1000",
        # The frame stays in the page's process, so that the page waits for it.
        "--disable-site-isolation-trials", "--disable-features=IsolateSandboxedIframes",
        "--virtual-time-budget=20000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(console)


@pytest.mark.slow
def test_the_page_has_no_error_and_asks_for_nothing(browser: str, page: str, tmp_path: Path) -> None:
    dom, console = opened(browser, tmp_path, page)
    assert console == ""
    assert dom.count('class="card"') == 24 or "No drawn pair" in dom
    assert "Ada &lt;Eve&gt;" in dom


@pytest.mark.slow
def test_filters_matrix_map_and_keyboard_work_in_a_sandboxed_frame(browser: str, page: str, tmp_path: Path) -> None:
    # The policy allows one script only, so the copy that is driven has none.
    driven = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    driven = driven.replace("</head>", f"{FRAMES}</head>").replace("</body>", f"<script>{DRIVER}</script></body>")
    dom, console = opened(browser, tmp_path, FRAME.format(page=html.escape(driven)))
    assert console == ""
    match = re.search(r'<pre id="results">(.*?)</pre>', dom, flags=re.DOTALL)
    assert match is not None
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    assert "error" not in found, found["error"]
    assert found["all"] == "276 pairs, the first 24 are shown."
    assert found["more"] == 48
    assert found["outcome"] == 1
    assert found["artists"] == "36 pairs, the first 24 are shown."
    assert found["none"] == "No drawn pair fits these filters."
    assert found["reset"] == found["first"][1]
    assert "two works by Bo" in found["cell"]
    assert found["opened"][0] == "15 pairs."
    assert found["opened"][1] == "The pairs"
    assert found["went"] == "Who is like whom"
    acts = ("wheel", "button", "whole", "plus", "pan", "moved")
    assert [name for name in acts if not found[name]] == []
    assert found["chosen"][1] == 5
    assert found["dim"] == 18


@pytest.mark.slow
def test_the_page_of_a_comparison_shows_its_pictures_in_a_sandboxed_frame(
    browser: str, scored: Path, tmp_path: Path
) -> None:
    other = [str(scored / "other.csv"), "--threshold", "1000", "--data-dir", str(scored / "im"), "--quiet"]
    model = str(scored / "tower.onnx")
    assert artsim_in_process("score", str(scored / "pairs.csv"), "--model", model, "-o", *other) == 0
    lists = [str(scored / "scores.csv"), str(scored / "other.csv"), "--data-dir", str(scored / "im")]
    assert artsim_in_process("compare", *lists, "--report", str(tmp_path / "compare.html"), "--quiet") == 0
    text = (tmp_path / "compare.html").read_text(encoding="utf-8")
    shown = text.count('role="img" aria-label=')
    assert shown > 0
    dom, console = opened(browser, tmp_path, FRAME.format(page=html.escape(text)))
    assert console == ""
    assert html.unescape(dom).count('role="img" aria-label=') >= shown
