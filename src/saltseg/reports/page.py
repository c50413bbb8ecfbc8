"""Pages that need nothing else: no network, no server, no other file.

A template holds the page's looks and script; the data stand in it as JSON.
"""

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saltseg.reports.palette import Colour, Paint

Facts = dict[str, Any]
"""What JSON can hold."""

_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def fill_template(template: Path, title: str, data: Mapping[str, Any]) -> str:
    """Return the page of a template with %TITLE%, %DATA% and %PLOTLY% filled in.

    Only a template with charts needs %PLOTLY%. Equal arguments give an equal page. Raises
    ValueError for a number that is not finite.
    """
    # A JSON text may hold "</script>", which would end the element that it stands in.
    content = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    text = template.read_text(encoding="utf-8")
    parts = {"%TITLE%": html.escape(title)}
    if "%PLOTLY%" in text:
        from plotly.offline import get_plotlyjs  # only here: takes a second

        parts["%PLOTLY%"] = get_plotlyjs()
    # The data come last: nothing in them is taken for a mark.
    for mark, part in (parts | {"%DATA%": content}).items():
        text = text.replace(mark, part)
    return text


def read_data(page: str) -> Facts | None:
    """Return the data of a page that fill_template made; None if it holds none."""
    found = _DATA.search(page)
    try:
        data = json.loads(found[1]) if found else None
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def paint_facts(paint: Paint) -> Facts:
    """Return a paint as scripts take it: `label`, `colour` and `opacity`."""
    return {"label": paint.label, "colour": css(paint.colour), "opacity": paint.opacity}


def css(colour: Colour) -> str:
    """Return a colour as style sheets name it, "rgb(0, 114, 178)"."""
    return f"rgb({', '.join(map(str, colour))})"
