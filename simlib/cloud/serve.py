"""`python -m simlib serve [--world FILE] [--save FILE]`: a world for terminals, other languages, tools."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simlib.cloud.worlds.shape import WorldFileError

if TYPE_CHECKING:
    from simlib.cloud.world import Cloud


def main(argv: Sequence[str] = ()) -> int:
    """Serve until Ctrl-C; the exit status is 2 where the arguments or the file are none that can be used."""
    parser = argparse.ArgumentParser(
        prog="python -m simlib serve",
        description="Serves the lab to other processes on this machine, until Ctrl-C.",
    )
    parser.add_argument("--world", metavar="FILE", help="the world to open: what save wrote, or a link to it")
    parser.add_argument("--save", metavar="FILE", help="where to save the world when the lab ends")
    try:
        options = parser.parse_args(list(argv))
    except SystemExit as ended:  # argparse has said why
        return int(ended.code or 0)
    from simlib.cloud.world import Cloud
    from simlib.cloud.worlds import file

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended by a service manager, it cleans up as well
    try:
        if options.save:
            file.place(options.save)  # what cannot be saved is better told before anything is made
        with Cloud.load(options.world) if options.world else Cloud.start() as world:
            _announce(world)
            try:
                while True:
                    threading.Event().wait(1)  # a wait without end could not be interrupted on Windows
            except KeyboardInterrupt:
                kept = world.save(options.save) if options.save else "Nothing of it is left; --save FILE keeps a world."
                print(f"# The lab has ended. {kept}")
    except WorldFileError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("# The lab has ended before it began.")
    return 0


def _announce(world: Cloud) -> None:
    account = next(iter(world.accounts), None) or world.account()
    keys = {
        "AWS_ACCESS_KEY_ID": account.admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.admin.secret_access_key,
    }
    print(world.serve().instructions(keys))
    print(
        f"# You are then an administrator of account {account.id}, until Ctrl-C. Try: aws sts get-caller-identity",
        flush=True,
    )
