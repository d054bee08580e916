"""The room as a page of the hub: `/services/room/` shows it to the instructor, `/services/room/scores.csv` the scores.

Started by the hub, which tells it where it listens; whom it lets in, the hub decides as well: only a user whose role
has `access:services!service=room` (https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html).
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import Application, HTTPError, RequestHandler, authenticated

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # the hub's Python has the lab only now
FORMS = {"": ("text/html; charset=utf-8", "page"), "scores.csv": ("text/csv; charset=utf-8", "scores")}


class RoomHandler(HubOAuthenticated, RequestHandler):
    folder: Path

    @authenticated
    async def get(self, name: str) -> None:
        if name not in FORMS:
            raise HTTPError(404)
        kind, form = FORMS[name]
        self.set_header("Content-Type", kind)
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.finish(await asyncio.to_thread(written, form, self.folder))


def written(form: str, folder: Path) -> str:
    """The room in that form. The lab is loaded when somebody looks: the hub gives a service seconds to listen."""
    from simlib.lab import room, room_view

    write: Callable[[room.Room], str] = getattr(room_view, form)
    return write(room.read_folder(folder))


async def main(folder: Path) -> None:
    RoomHandler.folder = folder
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    handlers = [(f"{prefix}oauth_callback", HubOAuthCallbackHandler), (f"{prefix}(.*)", RoomHandler)]
    application = Application(handlers, cookie_secret=os.urandom(32))
    address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    application.listen(address.port, address.hostname)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
