"""CrossAccount as a page: two accounts and the line between them, drawn, and what the session may do then."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import svg

from ..markup import escape, table, verdict, visible
from ..people import title
from .answers import Answer
from .cross_account import SAYS, CrossAccount, Side
from .view import circumstances_bar, circumstances_commands, explanation, faded, head, why_button

WIDTH, HEIGHT, BOX = 560, 190, 170
LONGEST = 28  # letters of one text; the action between the boxes has more room
LETTERS = 19  # that fit into a line of a box, whatever the typeface


def commands(panel: CrossAccount) -> dict[str, Callable[[str], None]]:
    return circumstances_commands(panel)


def parts(panel: CrossAccount, *, live: bool) -> dict[str, str]:
    chosen = panel.opened
    before = panel.before(panel.call)
    was = f'<div class="sl-moved">was {verdict(before.allowed, before.word)}</div>' if before else ""
    return {
        "head": head(panel),
        "verdict": faded(panel, f'<p class="{_css(panel.answer.allowed)} sl-cell">{escape(panel.verdict)}</p>{was}'),
        "picture": faded(panel, drawing(panel)),
        "sides": faded(panel, _sides(panel)),
        "behalf": _behalf(panel, live=live),
        "then": _then(panel, live=live),
        "why": explanation(chosen, title(panel.world, chosen.question.who)) if chosen else "",
        "circumstances": circumstances_bar(panel) if live else "",
    }


def _css(allowed: bool) -> str:
    return "sl-yes" if allowed else "sl-no"


def _sides(panel: CrossAccount) -> str:
    rows = []
    for role, side in zip(("The caller's side", "The owner's side"), panel.sides, strict=True):
        sign, words = SAYS[side.says]
        policies = f"Asked: {', '.join(side.policies) or 'no policy'}"
        told = f'<span class="{_css(side.allows)} sl-cell">{escape(sign)} {escape(words)}</span>'
        because = f"<br>{escape(side.because)}" if side.because else ""
        asked = f'<br><span class="sl-dim">{escape(policies)}</span>'
        rows.append([f"{role}: {escape(side.account)}, {escape(side.who)}", f"{told}{because}{asked}"])
    return table(["Side", "What it says"], rows, panel.title)


def _behalf(panel: CrossAccount, *, live: bool) -> str:
    if not panel.behalf:
        return ""
    rows = []
    for whom, answer in panel.behalf.items():
        sent = panel.external_ids[whom]
        rows.append(
            [escape(whom), f"<code>{escape(sent)}</code>" if sent else "none", _verdict(panel, answer, live=live)]
        )
    confused = f'<p class="sl-no sl-cell" role="status">✘ {escape(panel.confused)}</p>' if panel.confused else ""
    caption = f"{title(panel.world, panel.who)} knocks on behalf of others, and sends an external ID"
    return table(["On whose behalf", "External ID", "Verdict"], rows, caption) + confused


def _then(panel: CrossAccount, *, live: bool) -> str:
    if not panel.then:
        return ""
    rows = [
        [
            _verdict(panel, each, live=live),
            f"<code>{escape(each.question.action)}</code> <code class='sl-dim'>{escape(each.question.resource)}</code>"
            f"<br>{escape(each.because)}",
        ]
        for each in panel.then
    ]
    return table(["Verdict", "Request, and what decides it"], rows, panel.then_title)


def _verdict(panel: CrossAccount, answer: Answer, *, live: bool) -> str:
    keys = [each.key for each in panel.questions]
    index = keys.index(answer.question.key)
    about = f"{answer.question.action}, {answer.word}"
    why = f" {why_button(index, panel.opened is answer, about)}" if live else ""
    return verdict(answer.allowed, answer.word) + why


# -- the picture ----------------------------------------------------------------------------------------------------


def drawing(panel: CrossAccount) -> str:
    """Two accounts and the call between them: a side that allows is a solid half of the line, a missing one a gap."""
    caller, owner = panel.sides
    middle, left, right, height = WIDTH / 2, BOX, WIDTH - BOX, 75.0
    elements: list[svg.Element] = [*_box(caller, 0.0), *_box(owner, float(right))]
    elements += _half(left, middle, height, caller.allows)
    elements += _half(middle, right, height, owner.allows)
    if owner.allows and caller.allows:
        points: list[float] = [right - 12, height - 6, right, height, right - 12, height + 6]
        elements.append(svg.Polygon(points=list(points), fill="var(--sl-yes)"))
    elements.append(_text(middle, 22, panel.call.action, anchor="middle"))
    for place, side in ((left + (middle - left) / 2, caller), (middle + (right - middle) / 2, owner)):
        if not side.allows:
            elements.append(_text(place, height - 12, f"✘ {side.says}", "var(--sl-no)", anchor="middle"))
    alt = f"{panel.verdict} {caller}. {owner}."
    shown = svg.SVG(viewBox=svg.ViewBoxSpec(0, 0, WIDTH, HEIGHT), class_=["sl-across"], elements=elements)
    return shown.as_str().replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)


def _half(start: float, end: float, height: float, allows: bool) -> list[svg.Element]:
    if allows:
        return [svg.Line(x1=start, y1=height, x2=end, y2=height, stroke="var(--sl-yes)", stroke_width=4)]
    gap = (end - start) / 5
    return [
        svg.Line(x1=start, y1=height, x2=start + gap, y2=height, stroke="var(--sl-no)", stroke_width=2,
                 stroke_dasharray=[4, 4]),
        svg.Line(x1=end - gap, y1=height, x2=end, y2=height, stroke="var(--sl-no)", stroke_width=2,
                 stroke_dasharray=[4, 4]),
    ]  # fmt: skip


def _box(side: Side, left: float) -> list[svg.Element]:
    sign, words = SAYS[side.says]
    colour = "var(--sl-yes)" if side.allows else "var(--sl-no)"
    rows = [side.account, *textwrap.wrap(visible(side.who)[:60], LETTERS)[:2]]
    box = svg.Rect(x=left + 1, y=40, width=BOX - 2, height=HEIGHT - 42, fill="none", stroke=colour, stroke_width=1.5,
                   stroke_dasharray=None if side.allows else [6, 4])  # fmt: skip
    told = textwrap.wrap(f"{sign} {words}", LETTERS)[:3]
    lines = [_text(left + 10, 60 + 17 * index, row) for index, row in enumerate(rows)]
    said = [_text(left + 10, 130 + 17 * index, row, colour) for index, row in enumerate(told)]
    return [box, *lines, *said]


def _text(x: float, y: float, text: str, colour: str = "currentColor", anchor: str = "start") -> svg.Element:
    shown = visible(text)
    cut = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    return svg.Text(x=x, y=y, text=escape(cut), fill=colour, font_size=13, text_anchor=anchor)  # type: ignore[arg-type]
