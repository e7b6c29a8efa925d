"""An alert on paper: nothing in a sentence becomes markup, a header or a template."""

from __future__ import annotations

from lifehouse.alerts import render
from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import Event

NASTY = "<b>{{ dag }}</b> & <https://evil|click>"
ALERT = Alert(
    Event.FAILED,
    "marts",
    f"x\r\nBcc: a@b.de {NASTY}",
    "Tiny",
    [NASTY] * 50,
    [NASTY],
    NASTY,
    links={"run": "http://a/?b&c"},
)


def test_a_subject_is_one_short_line() -> None:
    line = render.subject(ALERT)
    assert "\n" not in line
    assert "\r" not in line
    assert len(line) <= 180


def test_a_mail_escapes_what_it_quotes_and_ends() -> None:
    mail = render.mail(ALERT)
    assert "<b>{{" not in mail
    assert "&lt;b&gt;{{ dag }}" in mail
    assert "and 30 more" in mail


def test_slack_gets_text_within_its_bounds() -> None:
    blocks = [block["text"]["text"] for block in render.slack(ALERT)]
    assert all(0 < len(block) <= 3000 for block in blocks)
    assert not any("<https://evil" in block for block in blocks)
    assert blocks[-1] == "<http://a/?b&amp;c|run>"


def test_the_text_says_all() -> None:
    text = render.text(ALERT)
    assert "✘ [Tiny] x Bcc" in text
    assert "run: http://a/?b&c" in text
