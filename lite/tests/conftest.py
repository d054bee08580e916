"""The site of pieces, served as plain files; nothing but these files may be asked for."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.browser.conftest import artifacts, browser
from tests.browser.servers import Server
from tests.browser.visits import ENGINES, Lab, visiting

__all__ = ["artifacts", "browser"]


class Files(http.server.SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...


class Errors(list[str]):
    """JupyterLite asks the site for a file before it looks among those that the reader has made: no error."""

    def append(self, text: str) -> None:
        if "404 (File not found)" not in text:
            super().append(text)


class Lite(Lab):
    """JupyterLab without a server."""

    engine = "lite"

    def open(self, notebook: str) -> None:
        self.page.goto(f"{self.server.url}/lab/index.html?path={notebook}")
        self.settle()

    def asked(self, code: str) -> str:
        """What the kernel prints when it runs this."""
        return str(self.page.evaluate(RUN, code))


NOTEBOOK = "[...window.jupyterapp.shell.widgets('main')][0]"

RUN = f"""async code => {{
    const kernel = {NOTEBOOK}.sessionContext.session.kernel;
    const printed = [];
    const asked = kernel.requestExecute({{code, store_history: false}});
    asked.onIOPub = ({{header, content}}) => {{
        if (header.msg_type === "stream") printed.push(content.text);
        if (header.msg_type === "error") printed.push(content.traceback.join("\\n"));
    }};
    await asked.done;
    return printed.join("");
}}"""


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving_files(Path(os.environ["SIMLIB_SITE"])) as server:
        yield server


@contextmanager
def serving_files(folder: Path) -> Iterator[Server]:
    config = folder / "jupyter-lite.json"
    told = json.loads(config.read_text(encoding="utf-8"))
    told["jupyter-config-data"]["exposeAppInBrowser"] = True
    config.write_text(json.dumps(told), encoding="utf-8")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Server(f"http://127.0.0.1:{server.server_port}", folder)
        server.shutdown()


@pytest.fixture
def visit(browser: Any, server: Server, artifacts: Path, request: pytest.FixtureRequest) -> Iterator[Lite]:
    """A page of its own, as a reader has it who comes for the first time."""
    ENGINES["lite"] = Lite
    with visiting(browser, server, artifacts, request.node.name, "lite") as page:
        page.errors = Errors()
        yield page
