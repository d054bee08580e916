"""Firefox and WebKit, driven as the systems package them: a page's address, and scripts that it runs.

Playwright brings builds of its own of these two, which not every system can fetch. Firefox is spoken to by WebDriver
BiDi (https://w3c.github.io/webdriver-bidi/), which it has built in; WebKitGTK by the classic protocol
(https://www.w3.org/TR/webdriver2/) through WebKitWebDriver, and it wants a display: `xvfb-run` gives it one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from websocket import create_connection

MINI_BROWSER = "/usr/lib/*-linux-gnu/webkit2gtk-4.1/MiniBrowser"
PATIENCE = 300.0  # seconds


class Page:
    """A page of one of them. `evaluate` runs an expression, perhaps a promise, and gives what JSON can say of it."""

    def __init__(self, go: Callable[[str], None], run: Callable[[str], str]) -> None:
        self.goto, self._run = go, run

    def evaluate(self, expression: str) -> Any:
        found = json.loads(self._run(expression))
        assert "error" not in found, found["error"]
        return found["value"]

    def wait_for(self, expression: str) -> Any:
        """What the expression gives as soon as that is true."""
        deadline = time.monotonic() + PATIENCE
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.2)
        return value


#: A promise of text: the value, or what went wrong. Kept in the page, for a protocol may give a script little time.
_ASKED = """(async () => JSON.stringify(await Promise.resolve().then(() => (%s)).then(
    value => ({value: value ?? null}), error => ({error: String(error?.stack ?? error)}))))()"""


@contextmanager
def firefox(profile: Path) -> Iterator[Page]:
    command = ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    with _running(command, stderr=subprocess.PIPE, text=True) as process, ExitStack() as ending:
        found = next(filter(None, (re.search(r"listening on (ws://\S+)", line) for line in process.stderr)))
        socket = create_connection(f"{found[1]}/session", suppress_origin=True, timeout=PATIENCE)
        ending.callback(socket.close)

        def ask(method: str, **parameters: Any) -> Any:
            socket.send(json.dumps({"id": 1, "method": method, "params": parameters}))
            while "id" not in (answer := json.loads(socket.recv())):
                pass
            assert answer["type"] == "success", answer["message"]
            return answer["result"]

        ask("session.new", capabilities={})
        page = ask("browsingContext.getTree")["contexts"][0]["context"]

        def run(expression: str) -> str:
            where = {"target": {"context": page}, "awaitPromise": True}
            return str(ask("script.evaluate", expression=_ASKED % expression, **where)["result"]["value"])

        yield Page(lambda url: ask("browsingContext.navigate", context=page, url=url, wait="complete"), run)


@contextmanager
def webkit(_profile: Path) -> Iterator[Page]:
    screen = [] if os.environ.get("DISPLAY") else ["xvfb-run", "--auto-servernum"]
    browser = next(str(path) for path in Path("/").glob(MINI_BROWSER.lstrip("/")))
    with _running([*screen, "WebKitWebDriver", "--port=9515"]):

        def ask(path: str, **parameters: Any) -> Any:
            heads, body = {"Content-Type": "application/json"}, json.dumps(parameters).encode()
            request = urllib.request.Request(f"http://127.0.0.1:9515/session{path}", body, heads)
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]

        options = {"webkitgtk:browserOptions": {"binary": browser, "args": ["--automation"]}}
        here = f"/{_patiently(lambda: ask('', capabilities={'alwaysMatch': options}))['sessionId']}"
        ask(f"{here}/timeouts", script=int(PATIENCE * 1000))

        def run(expression: str) -> str:
            return str(ask(f"{here}/execute/sync", script=f"return {_ASKED % expression}", args=[]))

        yield Page(lambda url: ask(f"{here}/url", url=url), run)


ENGINES = {"firefox": firefox, "webkit": webkit}
NEEDS = {"firefox": ("firefox-esr",), "webkit": ("WebKitWebDriver", "xvfb-run")}


def missing(engine: str) -> list[str]:
    """The programs that this machine lacks for it."""
    return [name for name in NEEDS[engine] if not shutil.which(name)]


@contextmanager
def _running(command: list[str], **options: Any) -> Iterator[Any]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield process
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _patiently(ask: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while True:
        try:
            return ask()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
