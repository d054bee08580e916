"""Two learners, and somebody of the same room who wants what is theirs: `nox -s hub -- intruder`.

Every attempt is made on a hub that runs, over its addresses and from a kernel of the intruder's; the line says what
came of it. Ends with an error where one succeeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from learner import Learner, executed

if TYPE_CHECKING:
    from hub import Hub

SECRET = "what Ada wrote"
NOTE = f"import pathlib; pathlib.Path('note.txt').write_text({SECRET!r}); print(1)"

#: What the intruder runs in a kernel: each prints what it got hold of, and nothing where it got nothing.
IN_THE_KERNEL = {
    "Ada's files": "print(pathlib.Path('{state}/homes/ada/note.txt').read_text())",
    "a list of Ada's files": "print(*pathlib.Path('{state}/homes/ada').iterdir())",
    "who is in the room": "print(*pathlib.Path('{state}/homes').iterdir())",
    "Ada's progress": "print(*pathlib.Path('{state}/progress/ada').iterdir())",
    "to put something into Ada's progress": (
        "pathlib.Path('{state}/progress/ada/progress.json').write_text('{{}}'); print('written')"
    ),
    "the hub's database": "print(pathlib.Path('{state}/hub.sqlite').read_bytes()[:9])",
    "the hub's cookie secret": "print(pathlib.Path('{state}/cookie_secret').read_text())",
    "the hub's log": "print(pathlib.Path('{state}/hub.log').read_text())",
    "the secrets in other processes": (
        "print(*[p for p in pathlib.Path('/proc').glob('[0-9]*') if p.stat().st_uid != os.getuid()"
        " and (p / 'environ').read_bytes()])"
    ),
    "to end Ada's server": (
        "[os.kill(int(p.name), 15) for p in pathlib.Path('/proc').glob('[0-9]*') if b'singleuser' in"
        " (p / 'cmdline').read_bytes() and p.stat().st_uid != os.getuid()]; print('ended')"
    ),
    "the proxy's table": "print(urllib.request.urlopen('http://127.0.0.1:{proxy}/api/routes').read())",
    "the room's page, past the hub": (
        "print(urllib.request.urlopen('http://127.0.0.1:{room}/services/room/scores.csv').read()[:12])"
    ),
}
SETUP = "import os, pathlib, urllib.request"


async def intrude(hub: Hub, state: Path) -> int:
    """Make every attempt and print what came of it; the number of those that succeeded."""
    ada, ben, mallory = (Learner(hub.url, name, hub.password) for name in ("ada", "ben", "mallory"))
    for each in (ada, ben, mallory):
        await each.log_in()
        await each.start_server()
    async with ada.kernel("note.ipynb") as socket:
        assert await printed(socket, NOTE) == "1\n"
    got: dict[str, str] = {}
    for name in ("instructor", "INSTRUCTOR", "Instructor"):
        got[f"to be {name} with the room's password"] = await logged_in(Learner(hub.url, name, hub.password))
    got["to be Ada with a wrong password"] = await logged_in(Learner(hub.url, "ada", "guessed"))
    for what, method, address in (
        ("Ada's server", "GET", "/user/ada/api/contents"),
        ("Ada's kernels", "GET", "/user/ada/api/kernels"),
        ("to stop Ada's server", "DELETE", "/hub/api/users/ada/server"),
        ("to make a token for Ada", "POST", "/hub/api/users/ada/tokens"),
        ("the list of users", "GET", "/hub/api/users"),
        ("the hub's administration", "GET", "/hub/api/proxy"),
        ("the room's page", "GET", "/services/room/"),
        ("the room's scores", "GET", "/services/room/scores.csv"),
    ):
        status = await mallory.status(method, address)
        got[f"{what} over the hub"] = f"answer {status}" if status < 300 else ""
    port = int(hub.url.rpartition(":")[2])
    where = {"state": state, "proxy": port + 2, "room": port + 3}
    async with mallory.kernel("attempts.ipynb") as socket:
        assert await printed(socket, f"{SETUP}; print(2)") == "2\n"  # it could have
        for what, code in IN_THE_KERNEL.items():
            got[f"{what} from a kernel"] = (await printed(socket, code.format(**where))).strip()
    room = httpx.Client(base_url=hub.url, follow_redirects=True, timeout=60, trust_env=False)
    assert seen(room, hub), "the instructor does not see the room"
    for what, found in got.items():
        print(f"{'✘ ' + found[:80] if found else '✔ nothing':<14} {what}")
    reached = sum(map(bool, got.values()))
    print(f"{len(got)} attempts, {reached} of them reached something; each learner a user of the system: {hub.apart}")
    return reached


async def printed(socket: object, code: str) -> str:
    return "".join([shown.get("text", "") async for shown in executed(socket, code)])


async def logged_in(learner: Learner) -> str:
    try:
        await learner.log_in()
    except (RuntimeError, KeyError):
        return ""
    return "logged in"


def seen(browser: httpx.Client, hub: Hub) -> bool:
    """Whether the instructor, with the instructor's password, sees who is in the room."""
    browser.get("/hub/login")
    form = {"username": "instructor", "password": hub.instructor, "_xsrf": browser.cookies["_xsrf"]}
    browser.post("/hub/login?next=%2Fservices%2Froom%2F", data=form)
    return "The room" in browser.get("/services/room/").text
