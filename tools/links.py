"""Where the public copy of the repository is: `nox -s links -- OWNER/NAME` writes it wherever it is named.

The setting is the address `Repository` in pyproject.toml. Until it names a copy, the README has no links to try it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNSET = "OWNER/NAME"
FILES = (
    "pyproject.toml",
    "README.md",
    "docs/hosting.md",
    "CITATION.cff",
    ".github/ISSUE_TEMPLATE/config.yml",
    "binder/hub/README.md",
)
START, END = "<!-- `nox -s links` writes what is between these two lines -->\n", "<!-- the end of it -->\n"
FIRST_PAGE = "lab/tree/notebooks/00-start-here.ipynb"


def setting() -> str:
    """The copy that is named now, as OWNER/NAME."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    return str(urls["Repository"].removeprefix("https://github.com/"))


def forms(repository: str) -> list[str]:
    """Every form in which the files name it."""
    owner, name = repository.split("/")
    return [
        f"github.com/{owner}/{name}",
        f"github.com%2F{owner}%2F{name}",
        f"mybinder.org/v2/gh/{owner}/{name}/",
        f"lab%2Ftree%2F{name}%2F",
    ]


def renamed(text: str, old: str, new: str) -> str:
    """A file's text with the copy's name changed, and its links to try it written anew."""
    for before, after in zip(forms(old), forms(new), strict=True):
        text = text.replace(before, after)
    return re.sub(f"(?<={re.escape(START)}).*?(?={re.escape(END)})", lambda _: links(new), text, flags=re.DOTALL)


def links(repository: str) -> str:
    """The README's lines to try the lab at once."""
    if repository == UNSET:
        return "*This copy is not public yet. `nox -s links -- OWNER/NAME` puts the links to try it here.*\n"
    owner, name = repository.split("/")
    binder = f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath={FIRST_PAGE}"
    badge = f"[![Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    return f"**[Try it now](https://{owner.lower()}.github.io/{name}/)**: it runs in your browser. Or {badge}\n"


def main(arguments: list[str]) -> int:
    """Write the name; the exit status."""
    if len(arguments) != 1 or not re.fullmatch(r"[\w-]+/[\w.-]+", arguments[0]):
        print("Which copy? nox -s links -- OWNER/NAME", file=sys.stderr)
        return 2
    old = setting()
    for name in FILES:
        path = ROOT / name
        path.write_text(renamed(path.read_text(encoding="utf-8"), old, arguments[0]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
