"""Found first by every Python that the tests start: it puts on record whom it asks for on the network.

And which files it opens below a folder `.aws`; a process that runs tests, which plants some, does not note that.
"""

import os
import sys

_ASKING = {  # events of Python's audit hook, and which of their arguments says for whom
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "open": 0,
}


def _is_of_aws(path):
    return isinstance(path, (str, bytes)) and ".aws" in os.fsdecode(path).replace(os.sep, "/").split("/")[:-1]


def _note(event, arguments):
    if event == "open" and (not _is_of_aws(arguments[0]) or os.environ.get("OUTWARD_TESTS") == str(os.getpid())):
        return
    if event in _ASKING and (record := os.environ.get("OUTWARD_RECORD")):
        line = f"{event} {arguments[_ASKING[event]]!r}\n"
        try:
            file = os.open(record, os.O_WRONLY | os.O_APPEND)
        except OSError:  # the tests are over
            return
        try:
            os.write(file, line.encode("utf-8", "replace"))
        finally:
            os.close(file)


sys.addaudithook(_note)
