"""The timeline on the screen: a thin shell over `panel.SessionTimeline`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from typing import Any

from simlib.cloud.explain import Explanation, in_words

from .. import screen
from ..controls import button, select
from ..interactive_html import InteractiveHTML
from ..markup import card, escape, outline, table, verdict
from ..trail_table import DECISIONS, HEAD, MOST_IDENTITIES, call_cells, called
from .drawing import CSS as CHART_CSS
from .drawing import drawing
from .lines import key_label
from .panel import SPANS, Holding, SessionTimeline, Verdict, addresses, born_of

STEPS = 400  # of the slider, from one edge of the axis to the other

_CSS = f"""<style>{CHART_CSS}
.simlib .sl-axis {{ padding: 0 8px; }}
.simlib .sl-moment {{ display: block; width: 100%; margin: 0; accent-color: var(--sl-yes); }}
.simlib .sl-head {{ font-weight: 600; }}
.simlib .sl-state {{ white-space: normal; }}
</style>"""

_numbers = count(1)


def timeline_view(panel: SessionTimeline) -> Any:
    """The panel as a widget. An earlier view of it is closed."""
    name = f"slt{next(_numbers)}"
    widget = InteractiveHTML("", _commands(panel))

    def draw() -> None:
        widget.html = page(panel, name)

    draw()
    panel.draw_by("view", draw)
    screen.follow(widget, panel.follow)
    return screen.show(panel, "panel", widget)


def still(panel: SessionTimeline) -> str:
    """The panel's last picture, for a page without a kernel."""
    return card(_CSS + "".join(_parts(panel, f"slt{next(_numbers)}", live=False)), css="sl-wide")


def page(panel: SessionTimeline, name: str) -> str:
    """The panel as HTML whose controls are commands; `name` makes its ids its own."""
    return card(_CSS + "".join(_parts(panel, name, live=True)), css="sl-wide")


def _commands(panel: SessionTimeline) -> dict[str, Any]:
    def moment(value: str) -> None:
        if value.isdigit() and int(value) <= STEPS:
            span = panel.chart.right - panel.chart.left
            panel.look(panel.chart.left + span * int(value) / STEPS)

    def verdict_of(value: str) -> None:
        key, _, index = value.partition(" ")
        if index.isdigit():
            panel.open_verdict(key, int(index))

    return {
        "moment": moment,
        "before": lambda _: panel.step(forward=False),
        "after": lambda _: panel.step(),
        "now": lambda _: panel.look(),
        "move": lambda _: panel.move_clock(),
        "move-here": lambda _: panel.move_clock(panel.looked) if panel.looked else None,
        "span": lambda value: panel.zoom(SPANS[value]) if value in SPANS else None,
        "identity": lambda value: panel.filter(identity=value),
        "decision": lambda value: panel.filter(decision=value) if value in DECISIONS else None,
        "older": lambda _: panel.turn(1),
        "newer": lambda _: panel.turn(-1),
        "call": lambda value: panel.open_call(int(value)) if value.isdigit() else None,
        "verdict": verdict_of,
    }


def _parts(panel: SessionTimeline, name: str, *, live: bool) -> Iterable[str]:
    parts = {
        "head": f'<p class="sl-head" role="status">{escape(panel.headline)}</p>',
        "note": f'<p role="status">{escape(panel.note)}</p>' if panel.note else "",
        "choices": _choices(panel) if live else "",
        "axis": f'<div class="sl-axis">{drawing(panel.chart, name)}</div>',
        "clock": _clockwork(panel) if live else "",
        "remarks": "".join(f'<p class="sl-dim">{escape(said)}</p>' for said in (panel.hidden, panel.caveat) if said),
        "credentials": _credentials(panel, live=live),
        "trail": _trail(panel, live=live),
    }
    for part, content in parts.items():
        yield f'<div id="{name}-{part}">{content}</div>'


# -- controls ---------------------------------------------------------------------------------------------------------


def _why(do: str, value: str, opened: bool, about: str) -> str:
    """The button that opens and closes an explanation."""
    word = "Hide why" if opened else "Why?"
    return (
        f' <button type="button" class="sl-row" data-do="{do}" data-value="{escape(value)}" '
        f'aria-expanded="{str(opened).lower()}" aria-label="{escape(f"{word} {about}")}">{word}</button>'
    )


def _choices(panel: SessionTimeline) -> str:
    identities = panel.identities[:MOST_IDENTITIES]
    chosen = panel.trail.identity
    if chosen and chosen not in identities:
        identities = [chosen, *identities]
    spans = [(text, text or "what the sessions need") for text in SPANS]
    span = next((text for text, length in SPANS.items() if length == panel.span), "")
    everybody = [("", "everybody"), *((arn, called(arn, panel.world.account_name)) for arn in identities)]
    choices = select("identity", "Identity", everybody, chosen) + select("span", "Axis", spans, span)
    return f'<div class="sl-bar">{choices}</div>'


def _clockwork(panel: SessionTimeline) -> str:
    chart = panel.chart
    place = round(STEPS * chart.place(panel.moment))
    slider = (
        f'<input type="range" class="sl-moment" data-do="moment" min="0" max="{STEPS}" value="{place}" '
        f'aria-label="Look at another moment" aria-valuetext="{escape(panel.headline)}">'
    )
    earlier = any(change.moment < panel.moment for change in panel.changes)
    later = any(change.moment > panel.moment for change in panel.changes)
    look = [
        button("before", "◀ Look at the change before", disabled=not earlier),
        button("after", "Look at the change after ▶", disabled=not later),
        button("now", "Back to now", disabled=panel.looked is None),
    ]
    change = panel.next_change
    words = f"to {change.moment:%d %b %H:%M:%S}: {change.words}" if change else "on: nothing will end by itself"
    move = [button("move", f"Move the clock {words}", disabled=change is None)]
    if panel.moment - panel.now > timedelta(0):
        move.append(button("move-here", f"Move the clock here, to {panel.moment:%d %b %H:%M}"))
    return (
        f'{slider}<div class="sl-bar" role="group" aria-label="Look: changes nothing">{"".join(look)}</div>'
        f'<div class="sl-bar" role="group" aria-label="Move the clock: only forward">{"".join(move)}</div>'
    )


# -- the credentials and what they can do -----------------------------------------------------------------------------


def _credentials(panel: SessionTimeline, *, live: bool) -> str:
    head = ["Credential", "State, and what it can do" if panel.requests else "State"]
    rows = [_holding(panel, holding, live=live) for holding in panel.holdings]
    return table(head, rows, f"Each credential on {panel.moment:%d %b %H:%M} UTC") if rows else ""


def _holding(panel: SessionTimeline, holding: Holding, *, live: bool) -> list[str]:
    credential = holding.credential
    colour = "sl-yes" if holding.state == "good" else "sl-no"
    state = f'<span class="sl-state {colour}">{escape(f"{holding.sign} {holding.words}")}</span>'
    limit = f" <span class='sl-dim'>at most {escape(credential.limit)}</span>" if credential.limit else ""
    told = escape(f"{born_of(holding)}; {addresses(holding)}")
    about = f"<br><code>{escape(key_label(credential))}</code> <span class='sl-dim'>{told}</span>"
    asked = [_verdict(panel, holding, index, each, live=live) for index, each in enumerate(holding.verdicts)]
    return [escape(holding.line.name) + about, f"<div>{state}{limit}</div>{''.join(asked)}"]


def _verdict(panel: SessionTimeline, holding: Holding, index: int, asked: Verdict, *, live: bool) -> str:
    request = f"<code>{escape(asked.request)}</code>"
    opened = panel.opened == (holding.key, index)
    why = _why("verdict", f"{holding.key} {index}", opened, asked.request) if live and asked.evaluation else ""
    told = outline(in_words(asked.evaluation)) if opened and asked.evaluation is not None else ""
    because = f"<br><span class='sl-dim'>{escape(asked.because)}</span>"
    return f"<div>{verdict(asked.allowed, asked.word)} {request} {why}{because}{told}</div>"


# -- the trail --------------------------------------------------------------------------------------------------------


def _trail(panel: SessionTimeline, *, live: bool) -> str:
    trail = panel.trail
    rows = []
    for event in trail.rows:
        cells = call_cells(event, trail.account_name)
        opened = event.number == trail.open
        if live:
            cells[0] += _why("call", str(event.number), opened, f"{event.action}, call {event.number}")
        if opened:
            cells[1] += outline(str(Explanation(event)))
        rows.append(cells)
    controls = ""
    if live:
        controls = (
            f'<div class="sl-bar">{select("decision", "Decision", DECISIONS.items(), trail.decision)}'
            f"{button('newer', 'Newer calls', disabled=trail.page == 0)}"
            f"{button('older', 'Older calls', disabled=trail.page >= trail.last_page)}</div>"
        )
    return f"<h4>The trail</h4>{controls}{table(HEAD, rows, trail.counted)}"
