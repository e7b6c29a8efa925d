"""An alert as text, as mail, as a Slack message."""

from __future__ import annotations

import html
import re
from typing import Any

from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import Event

_MOST = 20  # sentences of a kind; the pages have them all
_SLACK_BLOCK = 2900  # Slack refuses a section of more than 3,000 characters
_SIGNS = {Event.WARNINGS: "⚠", Event.RECOVERED: "✔", Event.LATE: "⏰"}


def subject(alert: Alert) -> str:
    """One line, free of control characters: a mail's subject, a message's first line."""
    line = f"[{alert.company}] {alert.title}"
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", line)[:180]


def text(alert: Alert) -> str:
    """For a terminal or a log."""
    lines = [f"{_SIGNS.get(alert.event, '✘')} {subject(alert)}", ""]
    for title, sentences in _parts(alert):
        lines += [f"{title}:", *(f"  - {sentence}" for sentence in sentences)]
    lines += [line for line in (alert.served, _owner(alert)) if line]
    lines += [f"{label}: {url}" for label, url in alert.links.items()]
    return "\n".join(lines)


def mail(alert: Alert) -> str:
    """The HTML of a mail: no style sheet, no picture, nothing fetched from elsewhere."""
    parts = [f"<h3>{_SIGNS.get(alert.event, '✘')} {html.escape(alert.title)}</h3>"]
    for title, sentences in _parts(alert):
        items = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
        parts.append(f"<p><b>{title}</b></p><ul>{items}</ul>")
    parts += [f"<p>{html.escape(line)}</p>" for line in (alert.served, _owner(alert)) if line]
    links = " · ".join(
        f'<a href="{html.escape(url, quote=True)}">{html.escape(label)}</a>'
        for label, url in alert.links.items()
    )
    return "\n".join([*parts, f"<p>{links}</p>"])


def slack(alert: Alert) -> list[dict[str, Any]]:
    """Slack's blocks. What looks like markup in a sentence stays text."""
    blocks = [f"*{_escape(subject(alert))}*"]
    for title, sentences in _parts(alert):
        lines = "\n".join(f"• {_escape(sentence)}" for sentence in sentences)
        blocks.append(f"*{title}*\n{lines}")
    blocks += ["\n".join(_escape(line) for line in (alert.served, _owner(alert)) if line)]
    blocks += [" · ".join(f"<{_escape(url)}|{_escape(label)}>" for label, url in alert.links.items())]
    return [{"type": "section", "text": {"type": "mrkdwn", "text": _cut(block)}} for block in blocks if block]


def _parts(alert: Alert) -> list[tuple[str, list[str]]]:
    named = (("What", alert.facts), ("Why", alert.reasons), ("What to do", alert.what_to_do))
    return [(title, _some(sentences)) for title, sentences in named if sentences]


def _some(sentences: list[str]) -> list[str]:
    more = len(sentences) - _MOST
    return sentences if more <= 0 else [*sentences[:_MOST], f"and {more:,} more"]


def _owner(alert: Alert) -> str | None:
    return f"Owner: {alert.owner}" if alert.owner else None


def _escape(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(block: str) -> str:
    return block if len(block) <= _SLACK_BLOCK else block[: _SLACK_BLOCK - 1] + "…"
