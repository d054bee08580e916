"""``python -m simlib COMMAND``: each command is loaded only when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module

from .command_line import status_of

#: command -> the module whose ``main(arguments) -> exit status`` runs it, and what it does
COMMANDS = {
    "decide": ("simlib.iam.scenario", "answer scenarios, one JSON object per line: allowed or denied, and why"),
    "check": ("simlib.iam.check", "check policy documents, as a compiler would"),
    "explain": ("simlib.audit.explain_command", "explain an error text of AWS: who said no, and what to look at first"),
    "inspect": ("simlib.audit.report", "read files about your own accounts: who gets in, and who can become more"),
    "challenge": ("simlib.challenges.command", "list the challenges, check one of your own, hand out a set"),
    "handout": ("simlib.lab.handout", "the course on two pages, to print"),
    "progress": ("simlib.lab.room_view", "see where a room of learners stands, from their progress files"),
    "serve": ("simlib.cloud.serve", "serve the mocked AWS to the AWS CLI and other SDKs on this machine"),
}


def usage() -> str:
    lines = (f"  {command:<10} {what}" for command, (_, what) in COMMANDS.items())
    return (
        "usage: python -m simlib COMMAND [ARGUMENT…]\n\n"
        + "\n".join(lines)
        + "\n\nEach command explains itself with -h."
    )


def main(arguments: list[str]) -> int:
    """Run a command; the exit status is 2 where there is no such command, or a file cannot be opened."""
    return status_of(lambda: run(arguments))


def run(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "-h"
    if command in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if command not in COMMANDS:
        print(f"There is no command {command!r}.\n{usage()}", file=sys.stderr)
        return 2
    status: int = import_module(COMMANDS[command][0]).main(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
