"""Installs the systems that tests start, before the tests ask for them: ``python -m support.ahead``."""

from __future__ import annotations

from support import prism, tryton, vendure
from support.environments import Unavailable


def main() -> None:
    for prepare in (tryton.prepared, vendure.prepared, prism.prepared):
        try:
            prepare()
        except Unavailable as reason:
            print(f"• {reason}: its tests are skipped")


if __name__ == "__main__":
    main()
