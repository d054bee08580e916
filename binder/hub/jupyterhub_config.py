"""A hub on this machine alone, to try a workshop with and to measure one: `nox -s hub`. hub.py names place and ports.

Started by root on Linux, where every user may read the lab, each learner is a user of the system of their own, without
a name and with nothing but the own folders. Otherwise all learners' processes belong to whoever started it, and nothing
keeps one from another's files: for a room of people take one of the two in README.md.
"""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT), str(Path(__file__).parent)]
from simlib.start import APP, FIRST_PAGE, NOT_COPIED  # noqa: E402 - the hub's Python has the lab only now

STATE = Path(os.environ["IAM_LAB_HUB"])
LOOPBACK = "127.0.0.1"
PORT = int(os.environ["IAM_LAB_HUB_PORT"])
APART = bool(os.environ.get("IAM_LAB_HUB_APART"))
INSTRUCTOR = "instructor"


def lessons_in_home(spawner):
    """A learner who comes for the first time gets the lessons, and a folder for the progress file."""
    progress, home = progress_of(spawner).parent, STATE / "homes" / spawner.user.name
    progress.mkdir(parents=True, exist_ok=True)
    if not (home / "notebooks").exists():
        shutil.copytree(ROOT / "notebooks", home / "notebooks", ignore=NOT_COPIED)
    if APART:
        for place in (progress, home):
            place.chmod(0o700)
            for each in (place, *place.rglob("*")):
                os.chown(each, spawner.uid, spawner.uid, follow_symlinks=False)


def progress_of(spawner):
    return STATE / "progress" / spawner.user.name / "progress.json"


c = get_config()  # noqa: F821
c.JupyterHub.bind_url = f"http://{LOOPBACK}:{PORT}"
c.JupyterHub.hub_bind_url = f"http://{LOOPBACK}:{PORT + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://{LOOPBACK}:{PORT + 2}"
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
c.ConfigurableHTTPProxy.command = [
    "node",
    str(Path(__file__).with_name("node_modules") / "configurable-http-proxy" / "bin" / "configurable-http-proxy"),
]
c.JupyterHub.db_url = f"sqlite:///{STATE / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.JupyterHub.log_level = "WARN"

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["IAM_LAB_HUB_PASSWORD"]
c.SharedPasswordAuthenticator.allow_all = True
c.SharedPasswordAuthenticator.admin_password = os.environ["IAM_LAB_HUB_INSTRUCTOR"]  # a name alone makes nobody one
c.SharedPasswordAuthenticator.admin_users = {INSTRUCTOR}
c.SharedPasswordAuthenticator.username_pattern = r"\w[\w.-]{0,40}\Z"  # names a folder
c.JupyterHub.template_vars = {
    "announcement_login": "Take a name of letters, digits, dots and hyphens. Your instructor has the password."
}

c.JupyterHub.services = [
    {
        "name": "room",
        "url": f"http://{LOOPBACK}:{PORT + 3}",
        "command": [sys.executable, "-P", str(Path(__file__).with_name("room_service.py")), str(STATE / "progress")],
        "oauth_no_confirm": True,
    }
]
c.JupyterHub.load_roles = [
    {"name": "instructor", "scopes": ["access:services!service=room"], "users": [INSTRUCTOR]},
]

c.JupyterHub.spawner_class = "seat.Seat"
c.SimpleLocalProcessSpawner.home_dir_template = str(STATE / "homes" / "{username}")
c.Spawner.pre_spawn_hook = lessons_in_home
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.default_url = f"/lab/tree/notebooks/{FIRST_PAGE}"
c.Spawner.args = [
    "--ServerApp.jpserver_extensions={'voila.server_extension': False, 'jupyter_lsp': False}",  # 10 MB less a seat
    "--ServerApp.log_level=WARN",
    *(["--allow-root"] if os.geteuid() == 0 else []),
]
c.Spawner.environment = {
    "IAM_LAB_PROGRESS": lambda spawner: str(progress_of(spawner)),
    "JUPYTER_CONFIG_PATH": str(APP),
    "JUPYTER_PATH": str(APP),
    "JUPYTER_PREFER_ENV_PATH": "1",
    "PYTHONPATH": str(ROOT),
}
c.Spawner.ip = LOOPBACK
c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # a whole room at once, on few cores
