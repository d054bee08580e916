"""One learner of a room, as the hub sees one: logs in at its form, starts a server, runs a lesson in a kernel.

Everything goes through the hub's proxy by the protocols that a browser speaks: the form, the hub's and the server's
REST interfaces, and the kernel's messages on a websocket.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

LESSON = "notebooks/01-users.ipynb"
VERDICT = "AccessDenied"  # what the first refusal that a learner meets has in it


@dataclass
class Learner:
    """A name, and when – on `time.monotonic`'s scale – the server was ready, the first verdict and the end came."""

    url: str
    name: str
    password: str
    ready: float = 0.0
    verdict: float = 0.0
    end: float = 0.0
    asked_to_wait: int = 0
    failure: str = ""
    _client: httpx.AsyncClient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._client = httpx.AsyncClient(base_url=self.url, timeout=300, trust_env=False)

    async def take_lesson(self, cells: Sequence[str], limit: float) -> None:
        """From the login to the last cell, within that many seconds; what goes wrong is kept in `failure`."""
        try:
            async with self._client, asyncio.timeout(limit):
                await self.log_in()
                await self.start_server()
                self.ready = time.monotonic()
                await self._run(cells)
                self.end = time.monotonic()
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"[:300]

    async def log_in(self) -> None:
        await self._ask("GET", "/hub/login")
        form = {"username": self.name, "password": self.password, "_xsrf": self._client.cookies["_xsrf"]}
        await self._ask("POST", "/hub/login", data=form)
        guard = {"X-XSRFToken": self._client.cookies.get("_xsrf", path="/hub/") or ""}
        made = await self._ask("POST", f"/hub/api/users/{self.name}/tokens", headers=guard, json={"note": "lesson"})
        self._client.headers["Authorization"] = f"token {made.json()['token']}"
        self._client.cookies.clear()

    async def start_server(self) -> None:
        here = f"/hub/api/users/{self.name}/server"
        await self._ask("POST", here)
        async with self._client.stream("GET", f"{here}/progress") as events:
            async for line in events.aiter_lines():
                said = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if said.get("ready"):
                    return
                if said.get("failed"):
                    raise RuntimeError(said.get("message", "the server did not start"))
        raise RuntimeError("the hub did not say that the server is ready")

    async def _run(self, cells: Sequence[str]) -> None:
        async with self.kernel(LESSON) as socket:
            for number, cell in enumerate(cells, start=1):
                async for shown in executed(socket, cell):
                    if shown.get("ename"):
                        raise RuntimeError(f"cell {number} ended with {shown['ename']}: {shown['evalue']}")
                    if not self.verdict and VERDICT in json.dumps(shown):
                        self.verdict = time.monotonic()
        if not self.verdict:
            raise RuntimeError("the lesson ended without a verdict")

    @asynccontextmanager
    async def kernel(self, notebook: str) -> AsyncIterator[WebSocketClientConnection]:
        """The channels of a kernel for that notebook."""
        server = f"/user/{self.name}/api"
        wanted = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = (await self._ask("POST", f"{server}/sessions", json=wanted)).json()["kernel"]["id"]
        address = f"{self.url.replace('http', 'ws', 1)}{server}/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
        credentials = {"Authorization": self._client.headers["Authorization"]}
        socket = await websocket_connect(HTTPRequest(address, headers=credentials), max_message_size=2**26)
        try:
            yield socket
        finally:
            socket.close()

    async def status(self, method: str, address: str) -> int:
        """What the hub, or a server behind it, answers to this learner's token."""
        return (await self._client.request(method, address, follow_redirects=False)).status_code

    async def _ask(self, method: str, address: str, **content: Any) -> httpx.Response:
        """The answer; asked again, after the time that was named, as long as the hub is too busy."""
        while True:
            answer = await self._client.request(method, address, follow_redirects=False, **content)
            if answer.status_code != 429:
                break
            self.asked_to_wait += 1
            await asyncio.sleep(min(10.0, float(answer.headers.get("Retry-After", "5"))))
        if answer.is_error:
            raise RuntimeError(f"{method} {address}: {answer.status_code} {answer.text[:120]}")
        return answer


async def executed(socket: WebSocketClientConnection, cell: str) -> AsyncIterator[dict[str, Any]]:
    """Run one cell; the contents of what it shows, until the kernel has answered and is idle again."""
    number = uuid.uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": number, "version": "5.4"}
    content = {"code": cell, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
    await socket.write_message(json.dumps(message))
    awaited = {"execute_reply", "idle"}
    while awaited:
        received = await socket.read_message()
        if received is None:
            raise ConnectionError("the connection to the kernel has ended")
        if isinstance(received, bytes):  # a panel's binary part
            continue
        answer = json.loads(received)
        if answer["parent_header"].get("msg_id") != number:
            continue
        kind = answer["header"]["msg_type"]
        if kind in ("execute_result", "display_data", "stream", "error"):
            yield answer["content"]
        awaited -= {kind, answer["content"].get("execution_state")}
