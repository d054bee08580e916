"""The colours that figures are drawn in, those of the light theme; and the course's four pictures, to be printed.

On the screen the panels draw them, live. Here they stand for themselves, with an example each.
"""

from __future__ import annotations

from typing import Any

INK, YES, NO, DIM = "#1b1b1b", "#00589b", "#a33a00", "#5a5a5a"
ROOM = (  # its halves: what each is, its policy, an example
    ("The door", "trust policy: who may assume the role", "ec2.amazonaws.com   ✔ comes in", "alice   ✘ stays outside"),
    (
        "The tools",
        "permissions policy: what a session may do",
        "s3:ListBucket on my-secure-bucket",
        "s3:GetObject on my-secure-bucket/*",
    ),
)
GATES = (  # of the pipe: the check, what it does, how much is left
    ("RCP", "limits", 5.0),
    ("SCP", "limits", 3.6),
    ("resource policy", "grants", 3.6),
    ("identity policies", "grants", 3.6),
    ("boundary", "limits", 2.4),
    ("session policy", "limits", 1.4),
)
LIVES = (  # of credentials: name, begin, end, what becomes of it
    ("Alice's key", 0.0, 10.0, "no end: it works until somebody deletes it"),
    ("her session", 1.0, 4.0, "expires by itself"),
    ("the machine's session", 2.0, 6.0, "expires …"),
    ("its next session", 5.5, 9.5, "… and is renewed in time"),
    ("a leaked session", 3.0, 5.0, "revoked: struck out from that moment"),
)


def _box(axes: Any, x: float, y: float, width: float, height: float, **style: Any) -> None:
    from matplotlib.patches import FancyBboxPatch

    look = {
        "facecolor": "none",
        "edgecolor": DIM,
        "linewidth": 0.9,
        "boxstyle": "round,pad=0,rounding_size=0.12",
    } | style
    axes.add_patch(FancyBboxPatch((x, y), width, height, **look))


def _say(axes: Any, x: float, y: float, text: str, **style: Any) -> None:
    axes.text(x, y, text, **{"fontsize": 7.5, "va": "center", "color": INK, "parse_math": False} | style)


def role_card(axes: Any) -> None:
    """The role as a room: who may come in, and what may be done inside."""
    for x, (head, policy, *rows) in zip((0.2, 5.2), ROOM, strict=True):
        _box(axes, x, 0.3, 4.6, 3.4)
        _say(axes, x + 0.2, 3.25, head, weight="bold")
        _say(axes, x + 0.2, 2.7, policy, color=DIM)
        for row, text in enumerate(rows):
            _say(axes, x + 0.2, 1.8 - 0.7 * row, text)


def door(axes: Any) -> None:
    """The trust policy before everybody who could ask."""
    _box(axes, 0.2, 2.1, 9.6, 1.6, edgecolor=YES, linewidth=1.4)
    _say(axes, 0.4, 3.25, "✔ Inside: gets a session of the role", weight="bold", color=YES)
    _say(axes, 0.4, 2.6, "alice – the trust policy names her")
    _say(axes, 0.2, 1.6, "✘ Outside, each group under its reason", weight="bold", color=NO)
    _say(axes, 0.2, 1.0, "bob, prod – the trust policy does not name them")
    _say(axes, 0.2, 0.4, "the root user – may assume no role at all")


def pipe(axes: Any) -> None:
    """AWS's checks in their order: what grants feeds the pipe, what limits makes it narrower."""
    for place, (name, does, left) in enumerate(GATES):
        x = 0.2 + 1.62 * place
        axes.fill_between([x, x + 1.62], 2 - left * 0.22, 2 + left * 0.22, color=YES, alpha=0.18, linewidth=0)
        axes.plot([x, x], [0.7, 3.2], color=YES if does == "grants" else DIM, linewidth=1.2)
        _say(axes, x + 0.06, 3.5, name, fontsize=6.8, weight="bold")
        _say(axes, x + 0.06, 0.85, does, fontsize=6.8, color=YES if does == "grants" else DIM)
    _say(
        axes,
        0.2,
        0.3,
        "A Deny in any of them shuts the pipe. Across accounts there are two pipes, and both must be open.",
    )


def life(axes: Any) -> None:
    """When credentials begin, and how they end."""
    for row, (name, begin, end, fate) in enumerate(LIVES):
        y = 3.6 - 0.8 * row
        _say(axes, 0.1, y, name)
        revoked = "revoked" in fate
        axes.plot(
            [3 + begin * 0.4, 3 + end * 0.4], [y, y], color=NO if revoked else YES, linewidth=5, solid_capstyle="butt"
        )
        _say(
            axes,
            3.1 + end * 0.4,
            y,
            f"{'→ ' if end > 9.9 else '✘ ' if revoked else '| '}{fate}",
            fontsize=6.8,
            color=DIM,
        )


PICTURES = {
    "Role card: two policies, two questions": role_card,
    "Door: whom the trust policy lets in": door,
    "Gate pipe: how AWS decides a call": pipe,
    "Life of a session: when credentials end": life,
}
