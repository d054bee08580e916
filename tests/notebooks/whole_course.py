"""Every lesson, one after the other, in one kernel: nothing fails, and how much memory it takes (Linux).

python whole_course.py NOTEBOOKS     run by `nox -s binder`, in Binder's image; needs no test tools
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

LIMIT = 500  # MB; Binder gives 2 GB to the kernel and its server together
STATUS = "print(__import__('pathlib').Path('/proc/self/status').read_text())"


def main(folder: Path) -> int:
    manager, client = start_new_kernel(cwd=str(folder))
    try:
        started = time.perf_counter()
        for lesson in sorted(folder.glob("[0-9]*.ipynb")):
            for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]:
                if cell["cell_type"] == "code":
                    run(client, "".join(cell["source"]), lesson.name)
            now, peak = memory(client)
            print(f"{lesson.name:40} {now:5,.0f} MB, at most {peak:5,.0f} MB, {time.perf_counter() - started:4.0f} s")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if peak > LIMIT:
        print(f"The whole course takes {peak:,.0f} MB in one kernel; {LIMIT:,} MB is what it may take.")
    return int(peak > LIMIT)


def run(client, code: str, where: str) -> str:
    said: list[str] = []

    def collect(message) -> None:
        said.append(message["content"].get("text", ""))

    answer = client.execute_interactive(code, allow_stdin=False, timeout=300, output_hook=collect)["content"]
    if answer["status"] != "ok":
        raise SystemExit(f"{where}: {answer['ename']}: {answer['evalue']}, in the cell {code[:80]!r}")
    return "".join(said)


def memory(client) -> tuple[float, float]:
    """MB of resident memory: now, and at its peak."""
    sizes = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", run(client, STATUS, "memory")))
    return int(sizes["VmRSS"]) * 1.024e-3, int(sizes["VmHWM"]) * 1.024e-3


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
