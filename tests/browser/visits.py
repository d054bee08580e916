"""Pages of JupyterLab, Notebook 7 and Voilà with a notebook open: the same handling for all three.

visit.show(SETUP, PANEL)          a notebook of these cells, opened and run to its end
visit.output(1)                   what the second cell shows, in view
visit.theme("dark")               or "light"
visit.width(390)                  the window's, in pixels; 1280 to begin with, 720 high
visit.fits(locator)               it can be read without scrolling sideways
visit.accessible(locator)         axe-core finds nothing to complain of in it
visit.readable(name=function)     both, of what each function returns, in both themes, wide and narrow
visit.picture("access-explorer")  a screenshot, if they are wanted, named for the engine, theme and width too
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tests.browser.servers import TOKEN, Server

OUTPUT = ".jp-OutputArea-output"
HEIGHT = 720
_numbers = count(1)


@dataclass
class Visit:
    """A page with a notebook open, and what went wrong on it."""

    page: Any
    server: Server
    artifacts: Path | None  # where screenshots are wanted
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    engine: ClassVar[str]
    looks: ClassVar[tuple[tuple[int, ...], ...]] = ((1280,), (390,))  # the widths to look at in one theme and the other

    def open(self, notebook: str) -> None:
        """Open a notebook of the server's folder and wait until its kernel answers."""
        raise NotImplementedError

    def run_all(self) -> None:
        """Run every cell and wait for the last."""
        raise NotImplementedError

    def theme(self, name: str) -> None:
        """Switch to "light" or "dark"; in Voilà the page is loaded anew, with a kernel of its own."""
        raise NotImplementedError

    def output(self, cell: int) -> Any:
        """What the cell with that index shows, scrolled into view; without still pictures and bars that are over."""
        return self.whole_output(cell).locator(".jp-OutputArea-output:not(:has(.sl-still)):not(:empty)")

    def whole_output(self, cell: int) -> Any:
        """The same with the still pictures, which are seen where no kernel answers."""
        raise NotImplementedError

    def show(self, *cells: str) -> None:
        """Open a notebook of these code cells, and run it."""
        self.open(write_notebook(self.server.folder, f"cells-{next(_numbers)}.ipynb", *cells))
        self.run_all()

    def width(self, pixels: int) -> None:
        self.page.set_viewport_size({"width": pixels, "height": HEIGHT})

    def fits(self, where: Any) -> None:
        """It can be read without scrolling sideways: nothing sticks out of the output, or lies beside the window."""
        from playwright.sync_api import TimeoutError as StillTooWide

        where.first.wait_for()
        with suppress(StillTooWide):  # a page takes its time to follow a window that has changed
            self.page.wait_for_function(
                f"root => ({_TOO_WIDE})(root).length === 0", arg=where.first.element_handle(), timeout=5_000
            )
        found = where.first.evaluate(_TOO_WIDE)
        assert found == [], f"too wide for {self.page.viewport_size['width']} px: {found}"

    def accessible(self, where: Any) -> None:
        """axe-core's rules – WCAG 2.2 A and AA, and its best practices – on this element and what is in it.

        The page around our outputs belongs to Jupyter and is not looked at; nor are the rules that speak of a page as
        a whole, such as its landmarks and the order of its headings.
        """
        from axe_playwright_python.base import AXE_SCRIPT, AxeResults
        from playwright.sync_api import Error

        size, tall = self.page.viewport_size, where.first.bounding_box()["height"] + 300
        if tall > HEIGHT:  # what is scrolled away is not looked at
            self.page.set_viewport_size({**size, "height": min(int(tall), 5 * HEIGHT)})
        where.first.scroll_into_view_if_needed()
        self.page.evaluate("() => { document.body.style.height = '100vh' }")  # 0 in JupyterLab: unseen
        place = {"include": [["[data-axe]"]], "exclude": [[".jp-OutputPrompt"]]}
        for last in (False, False, True):  # a panel that is drawn anew meanwhile loses the mark
            where.first.evaluate("node => node.setAttribute('data-axe', '')")
            with suppress(*(() if last else (Error,))):
                if not self.page.evaluate("() => 'axe' in window"):
                    self.page.evaluate(AXE_SCRIPT)
                found = AxeResults(self.page.evaluate("what => axe.run(...what)", [place, _AXE]))
                break
        where.first.evaluate("node => { node.removeAttribute('data-axe'); document.body.style.height = '' }")
        self.page.set_viewport_size(size)
        assert found.response["passes"] + found.response["violations"], "axe-core has looked at nothing"
        assert found.violations_count == 0, found.generate_report()

    def readable(self, **panels: Callable[[], Any]) -> None:
        """Each fits and is accessible in both themes, wide and narrow; in JupyterLab in every combination of the two.

        A function is called anew for each look; its name is the picture's.
        """
        dark = self.page.locator("body[data-jp-theme-light=false]").count()
        for theme, widths in zip(("dark", "light") if dark else ("light", "dark"), self.looks, strict=True):
            self.theme(theme)
            for width in widths:
                self.width(width)
                for name, panel in panels.items():
                    where = panel()
                    self.fits(where)
                    self.accessible(where)
                    self.picture(name)
        self.width(1280)

    def picture(self, name: str) -> None:
        if self.artifacts is None:
            return
        shown = "dark" if self.page.locator("body[data-jp-theme-light=false]").count() else "light"
        width = self.page.viewport_size["width"]
        self.page.screenshot(path=self.artifacts / f"{name}-{self.engine}-{shown}-{width}.png")

    def leave(self) -> None:
        """Close what is open, for the next to visit the page."""
        self.page.goto("about:blank")


# What anywidget says after two seconds, however slow the machine is; a test waits for the panel, and fails without it.
_SLOW = "[anywidget] Failed to initialize model"
_OF_THE_PAGE = ("heading-order", "landmark-one-main", "page-has-heading-one", "region")
_AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {name: {"enabled": False} for name in _OF_THE_PAGE},
}
# What sticks out of the output that it is shown in, unless it is unseen or in a part that scrolls by itself.
_TOO_WIDE = """root => {
    const scrolls = node => /auto|scroll/.test(getComputedStyle(node).overflowX);
    const around = (root.closest(".jp-OutputArea-output") ?? root).getBoundingClientRect();
    const [left, right] = [Math.max(around.left, 0) - 1, Math.min(around.right, innerWidth) + 1];
    const found = [];
    const look = node => {
        const box = node.getBoundingClientRect();
        if (!node.checkVisibility() || box.width <= 1) return;
        if (box.right > right || box.left < left)
            found.push([node.tagName, node.className, box.left, box.right].join(" "));
        if (node === root || !scrolls(node)) [...node.children].forEach(look);
    };
    look(root);
    return found;
}"""


class Lab(Visit):
    """JupyterLab."""

    engine, looks = "lab", ((1280, 390), (390, 1280))
    _address, _reset = "lab/tree", "&reset"

    def open(self, notebook: str) -> None:
        self.leave()
        if self.page.url != "about:blank":
            self.command("docmanager:open", path=notebook)
        else:
            self.page.goto(f"{self.server.url}/{self._address}/{notebook}?token={TOKEN}{self._reset}")
        self.settle()

    def leave(self) -> None:
        """The page stays as it is, because loading JupyterLab takes long; notebooks, kernels and narrowness go."""
        if not self.page.evaluate("() => Boolean(window.jupyterapp)"):
            super().leave()
            return
        self.page.evaluate(
            """async () => {
                const { shell, serviceManager } = window.jupyterapp;
                for (const open of [...shell.widgets("main")]) {
                    const session = open.sessionContext?.session?.id;
                    open.dispose();
                    if (session) await serviceManager.sessions.shutdown(session);
                }
            }"""
        )
        if not self.page.locator("#jp-left-stack").is_visible():
            self.command("application:toggle-left-area")

    def settle(self) -> None:
        """Wait until the notebook of the page that was asked for is open and its kernel answers."""
        self.page.wait_for_function("() => window.jupyterapp?.shell", timeout=60_000)
        self.page.evaluate("() => window.jupyterapp.restored")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.page.wait_for_function("() => window.jupyterapp.shell.currentWidget?.sessionContext")
        self.page.evaluate(
            """async () => {
                const app = window.jupyterapp;
                const session = app.shell.currentWidget.sessionContext;
                await session.ready;
                await session.session.kernel.info;
            }"""
        )

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands and wait for it."""
        self.page.evaluate("([name, given]) => window.jupyterapp.commands.execute(name, given)", [name, arguments])

    def run_all(self) -> None:
        self.command("notebook:run-all-cells")

    def select(self, cell: str) -> None:
        """Make the cell of that ID the selected one."""
        self.page.evaluate(
            """id => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = notebook.widgets.findIndex(cell => cell.model.sharedModel.id === id);
                notebook.activate();
            }""",
            cell,
        )

    def run_cell(self, cell: str) -> None:
        """Run the cell of that ID and wait for it."""
        self.select(cell)
        self.command("notebook:run-cell")

    def whole_output(self, cell: int) -> Any:
        self.page.evaluate("index => window.jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')", cell)
        return self.page.locator(f".jp-Cell[data-windowed-list-index='{cell}'] .jp-Cell-outputWrapper")

    def theme(self, name: str) -> None:
        is_light = str(name == "light").lower()
        if self.page.locator(f"body[data-jp-theme-light='{is_light}']").count():
            return
        self.command("apputils:change-theme", theme=f"JupyterLab {name.title()}")
        self.page.wait_for_selector(f"body[data-jp-theme-light='{is_light}']", state="attached")
        self.page.wait_for_function(
            "() => getComputedStyle(document.body).getPropertyValue('--jp-content-font-color0').trim() !== ''"
        )
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def width(self, pixels: int) -> None:
        super().width(pixels)
        if pixels < 900 and self.page.locator("#jp-left-stack").is_visible():  # as a reader would
            self.command("application:toggle-left-area")


class Notebook(Lab):
    """Notebook 7: the same application in another frame."""

    engine, looks = "notebook", Visit.looks
    _address, _reset = "notebooks", ""
    leave = Visit.leave  # a page is one notebook's

    def open(self, notebook: str) -> None:
        super().open(notebook)
        self.errors.clear()  # of its start, when nothing of ours has run: 7.6 stumbles over a setting of its own


class Voila(Visit):
    """Voilà, which runs the notebook when its page is asked for."""

    engine = "voila"
    _opened = ""
    _shown = "light"

    def open(self, notebook: str) -> None:
        self._opened = notebook

    def run_all(self) -> None:
        self.page.goto(f"{self.server.url}/voila/render/{self._opened}?token={TOKEN}&theme={self._shown}")
        self.page.wait_for_selector("#rendered_cells", timeout=60_000)  # unseen until the last cell has run

    def theme(self, name: str) -> None:
        if name != self._shown:
            self._shown = name
            self.run_all()

    def whole_output(self, cell: int) -> Any:
        found = self.page.locator(f"[cell-index='{cell + 1}'] .jp-Cell-outputWrapper")
        found.first.scroll_into_view_if_needed()
        return found


ENGINES = {visit.engine: visit for visit in (Lab, Notebook, Voila)}


@contextmanager
def visiting(browser: Any, server: Server, artifacts: Path | None, name: str, engine: str = "lab") -> Iterator[Any]:
    """A fresh page, looked after."""
    with a_page(browser, server, artifacts, engine) as visit, looked_after(visit, name):
        yield visit


@contextmanager
def looked_after(visit: Any, name: str) -> Iterator[Any]:
    """It is an error when the page's console shows one, or when it asks anybody but its server."""
    visit.strangers.clear()
    visit.errors.clear()
    try:
        yield visit
    finally:
        visit.picture(name)
    assert visit.strangers == [], "the page asked somebody else than its own server"
    assert visit.errors == [], f"the browser's console shows {visit.errors}"


@contextmanager
def a_page(browser: Any, server: Server, artifacts: Path | None, engine: str) -> Iterator[Any]:
    """A page that notes what goes wrong on it."""
    context = browser.new_context(viewport={"width": 1280, "height": HEIGHT})
    page = context.new_page()
    page.set_default_timeout(30_000)
    visit = ENGINES[engine](page, server, artifacts)
    home = urlsplit(server.url).netloc

    def asked(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != home:
            visit.strangers.append(url)

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.on("console", lambda message: visit.errors.append(message.text) if _is_error(message) else None)
    page.on("pageerror", lambda error: None if _SLOW in str(error) else visit.errors.append(f"{error}\n{error.stack}"))
    yield visit
    context.close()


def _is_error(message: Any) -> bool:
    """Notebook 7 asks, at a time of its own, for language servers that nobody has."""
    return message.type == "error" and urlsplit(message.location.get("url", "")).path != "/lsp/status"


def write_notebook(folder: Path, name: str, *sources: str) -> str:
    """A notebook with these code cells; its name."""
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, folder / name)
    return name
