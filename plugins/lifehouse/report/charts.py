"""The report's charts, as plotly figures in one look: few colours (Okabe–Ito, safe for the colour-blind), no chart junk."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go
from plotly.utils import PlotlyJSONEncoder

from lifehouse.report import words
from lifehouse.report.facts import Lifecycle, Row

INK, MUTED, GRID = "#1d2733", "#5b6877", "#e6eaef"
BLUE, ORANGE, GREEN, SKY, VERMILION = "#0072b2", "#e69f00", "#009e73", "#56b4e9", "#d55e00"
#: Stages from the beginning of a life to its end; the last is the one to win back.
_STAGES = ("#9db4c8", SKY, BLUE, GREEN, VERMILION, ORANGE, "#cc79a7")
_FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
_FONT = {"family": _FAMILY, "size": 13, "color": INK}
_CONFIG = {"displayModeBar": False, "responsive": True}


def stage_bars(lifecycle: Lifecycle) -> str:
    """Customers of each stage, with their share, in the stages' own order."""
    total = lifecycle.customers or 1
    stages = list(reversed(lifecycle.stages))
    figure = go.Figure(
        go.Bar(
            x=[stage["customers"] for stage in stages],
            y=[_both(stage) for stage in stages],
            orientation="h",
            marker_color=[_colour(lifecycle, stage["stage"]) for stage in stages],
            text=[
                f"{words.count(stage['customers'])} · {words.share(stage['customers'] / total)}"
                for stage in stages
            ],
            textposition="outside",
            cliponaxis=False,
            hovertext=[stage["definition"] or "" for stage in stages],
            hovertemplate="<b>%{y}</b><br>%{text}<extra></extra>",
        )
    )
    largest = max((stage["customers"] for stage in stages), default=1)
    figure.update_xaxes(visible=False, range=[0, max(largest, 1) * 1.6])
    figure.update_yaxes(ticklabelstandoff=8)
    return _render(figure, f"stages-{lifecycle.name}", height=46 * len(stages) + 16)


def flows(lifecycle: Lifecycle) -> str:
    """Who moved from which stage to which since the release before."""
    left = [None, *(stage["stage"] for stage in lifecycle.stages)]
    left = [stage for stage in left if any(move["came_from"] == stage for move in lifecycle.moves)]
    right = [
        stage["stage"]
        for stage in lifecycle.stages
        if any(move["went_to"] == stage["stage"] for move in lifecycle.moves)
    ]
    out = {
        stage: sum(move["customers"] for move in lifecycle.moves if move["came_from"] == stage)
        for stage in left
    }
    into = {
        stage: sum(move["customers"] for move in lifecycle.moves if move["went_to"] == stage)
        for stage in right
    }
    colours = [_colour(lifecycle, stage) for stage in (*left, *right)]
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": [
                    *(
                        f"{lifecycle.label(stage)} {'−' if stage else ''}{words.count(out[stage])}"
                        for stage in left
                    ),
                    *(f"{lifecycle.label(stage)} +{words.count(into[stage])}" for stage in right),
                ],
                "color": colours,
                "pad": 20,
                "thickness": 14,
                "line": {"width": 0},
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": [left.index(move["came_from"]) for move in lifecycle.moves],
                "target": [len(left) + right.index(move["went_to"]) for move in lifecycle.moves],
                "value": [move["customers"] for move in lifecycle.moves],
                "color": [_pale(_colour(lifecycle, move["went_to"])) for move in lifecycle.moves],
                "hovertemplate": "%{source.label} → %{target.label}: <b>%{value:,}</b><extra></extra>",
            },
        )
    )
    return _render(figure, f"flows-{lifecycle.name}", height=max(190, 52 * max(len(left), len(right)) + 20))


def segments(rows: list[Row], name: str) -> str:
    """Members of each segment of one family, largest first."""
    rows = sorted(rows, key=lambda row: row["members"])
    figure = go.Figure(
        go.Bar(
            x=[row["members"] for row in rows],
            y=[words.segment(row["segment"]).removeprefix(f"{words.title(name)} · ") for row in rows],
            orientation="h",
            marker_color=BLUE,
            text=[words.count(row["members"]) for row in rows],
            textposition="outside",
            cliponaxis=False,
            hovertext=[row["meaning"] or "" for row in rows],
            hovertemplate="<b>%{y}</b>: %{text}<br>%{hovertext}<extra></extra>",
        )
    )
    largest = max((row["members"] for row in rows), default=1)
    figure.update_xaxes(visible=False, range=[0, max(largest, 1) * 1.2])
    figure.update_yaxes(ticklabelstandoff=8)
    return _render(figure, f"segments-{name}", height=30 * len(rows) + 16)


def sales(rows: list[Row], currency: str | None) -> str:
    """Net revenue a week; a week that is not whole is drawn open."""
    unit = currency or ""
    whole = [row for row in rows if not row["is_partial"]]
    figure = go.Figure()
    figure.add_scatter(
        x=[row["week"] for row in whole],
        y=[float(row["net_revenue"] or 0) for row in whole],
        mode="lines" if len(whole) > 1 else "markers",
        line={"color": BLUE, "width": 2.5},
        fill="tozeroy",
        fillcolor=_pale(BLUE, 0.10),
        customdata=[row["orders"] for row in whole],
        hovertemplate=f"week of %{{x|%Y-%m-%d}}<br><b>%{{y:,.0f}}</b> {unit}<br>%{{customdata:,}} orders<extra></extra>",
        name="whole weeks",
    )
    partial = [row for row in rows if row["is_partial"]]
    if partial:
        figure.add_scatter(
            x=[row["week"] for row in partial],
            y=[float(row["net_revenue"] or 0) for row in partial],
            mode="markers",
            marker={"size": 9, "color": "#ffffff", "line": {"color": BLUE, "width": 2}},
            hovertemplate=f"week of %{{x|%Y-%m-%d}}, not whole<br><b>%{{y:,.0f}}</b> {unit}<extra></extra>",
            name="week not whole",
        )
    days = (rows[-1]["week"] - rows[0]["week"]).days
    figure.update_xaxes(
        showgrid=False, tickformat="%b<br>%Y" if days > 100 else "%d %b<br>%Y", linecolor=GRID, nticks=8
    )
    figure.update_yaxes(gridcolor=GRID, rangemode="tozero", tickformat="~s", nticks=5, zerolinecolor=GRID)
    figure.update_layout(margin={"l": 8, "r": 12, "t": 8, "b": 8})
    return _render(figure, f"sales-{currency}", height=260)


def campaigns(rows: list[Row]) -> str:
    """Change of revenue a head against the window before, of the campaigns that can be compared."""
    rows = sorted(
        (row for row in rows if row["change_per_targeted"] is not None),
        key=lambda row: row["change_per_targeted"],
    )
    figure = go.Figure(
        go.Bar(
            x=[float(row["change_per_targeted"]) for row in rows],
            y=[str(row["name"] or row["campaign_key"]) for row in rows],
            orientation="h",
            marker_color=[GREEN if row["change_per_targeted"] >= 0 else VERMILION for row in rows],
            text=[words.money(row["change_per_targeted"], cents=True) for row in rows],
            textposition="outside",
            cliponaxis=False,
            customdata=[[row["targeted"], words.share(row["response_rate"])] for row in rows],
            hovertemplate="<b>%{y}</b><br>%{text} a head<br>%{customdata[1]} of %{customdata[0]:,} bought<extra></extra>",
        )
    )
    reach = max((abs(float(row["change_per_targeted"])) for row in rows), default=1.0) * 1.35
    figure.update_xaxes(visible=False, range=[-reach, reach])
    figure.update_yaxes(ticklabelstandoff=8)
    figure.add_vline(x=0, line_color=MUTED, line_width=1)
    return _render(figure, "campaigns", height=24 * len(rows) + 16)


def _both(stage: Row) -> str:
    chinese = f" <span style='color:{MUTED}'>{stage['label_zh']}</span>" if stage["label_zh"] else ""
    return f"{stage['label_en']}{chinese}"


def _colour(lifecycle: Lifecycle, stage: str | None) -> str:
    names = [row["stage"] for row in lifecycle.stages]
    return _STAGES[names.index(stage) % len(_STAGES)] if stage in names else "#c4ccd5"


def _pale(colour: str, strength: float = 0.35) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{strength})"


def _render(figure: go.Figure, name: str, height: int) -> str:
    """The chart's place on the page, and its data in the list that the page draws when it is laid out."""
    figure.update_layout(
        template="none",
        font=_FONT,
        height=height,
        margin={"l": 8, "r": 8, "t": 4, "b": 4},
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"bgcolor": "#ffffff", "bordercolor": GRID, "font": {"color": INK}},
        bargap=0.35,
        dragmode=False,
        separators=".,",
    )
    figure.update_yaxes(automargin=True, fixedrange=True)
    figure.update_xaxes(automargin=True, fixedrange=True)
    drawn: dict[str, Any] = figure.to_dict()
    drawn["layout"].pop("template", None)
    data = json.dumps([drawn["data"], drawn["layout"], _CONFIG], cls=PlotlyJSONEncoder).replace("</", "<\\/")
    return (
        f'<div id="{name}" class="chart" style="height:{height}px"></div>'
        f"<script>charts.push([{json.dumps(name)}, ...{data}])</script>"
    )
