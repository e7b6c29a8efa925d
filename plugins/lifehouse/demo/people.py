"""Invented people for the households of The Complete Journey, and for the CRM's leads.

Names come from lists, e-mail domains and phone numbers from the ranges that are reserved for examples
(RFC 2606, 555-01xx). The same number is the same person for ever: nothing depends on the order of calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    """
    Aaron Abigail Adam Alexander Alice Amanda Amy Andre Andrew Angela Anita Anthony Arthur Ashley
    Barbara Benjamin Beth Brandon Brenda Brian Carla Carlos Carol Catherine Charles Cheryl Christina
    Christopher Claire Craig Cynthia Daniel David Deborah Denise Diana Donald Dorothy Douglas Edward
    Elena Elizabeth Emily Eric Evelyn Felix Frances Frank Gabriel Gail George Gloria Grace Gregory
    Hannah Harold Heather Helen Henry Howard Ian Irene Isaac Jacob Jacqueline James Janet Jason Jeffrey
    Jennifer Jeremy Jesse Joan Jonathan Joseph Joyce Judith Julia Justin Karen Katherine Keith Kenneth
    Kevin Kimberly Larry Laura Lawrence Leah Leon Linda Lisa Louis Lucia Marcus Margaret Maria Mark
    Martha Matthew Megan Melissa Michael Michelle Monica Nancy Naomi Nathan Nicholas Nicole Nora Oliver
    Olivia Pamela Patricia Patrick Paul Peter Philip Rachel Ralph Raymond Rebecca Richard Robert Rosa
    Russell Ruth Samantha Samuel Sandra Sarah Scott Sharon Simon Sophia Stephanie Stephen Steven Susan
    Teresa Theresa Thomas Timothy Tracy Valerie Victor Victoria Vincent Virginia Walter Wayne Wendy
    William Yvonne Zachary
    """
)
_LAST = _words(
    """
    Abbott Acosta Adams Aguilar Allen Anderson Andersson Bailey Baker Barnes Becker Bell Bennett Bianchi
    Black Brennan Brooks Brown Bryant Burke Butler Campbell Carter Castillo Chan Chavez Chen Clark Cole
    Coleman Collins Cook Cooper Cox Cruz Daniels Davies Davis Delgado Diaz Dixon Doyle Duncan Edwards
    Ellis Evans Ferguson Fischer Fisher Fletcher Flores Foster Fox Freeman Garcia Gardner Gibson Gomez
    Gonzalez Gordon Graham Grant Gray Green Griffin Hall Hamilton Hansen Harris Hayes Henderson
    Hernandez Hicks Hoffman Holmes Howard Hughes Hunt Hunter Jackson James Jenkins Jensen Johansson
    Johnson Jones Jordan Kaur Keller Kelly Kennedy Khan Kim King Knight Kowalski Kumar Larsen Lee Lewis
    Li Long Lopez Marshall Martin Martinez Mason Matthews McCarthy McDonald Mendoza Meyer Miller
    Mitchell Moore Morales Morgan Morris Murphy Murray Myers Nelson Nguyen Novak Olsen Ortiz Owens
    Palmer Park Parker Patel Perez Perry Peterson Petrov Phillips Porter Powell Price Ramirez Ramos Reed
    Reyes Reynolds Rice Richardson Rivera Roberts Robinson Rodriguez Rogers Romero Rossi Russell Sanchez
    Sanders Schmidt Schneider Scott Shaw Silva Simmons Simpson Singh Smith Snyder Stevens Stewart Stone
    Suzuki Tanaka Taylor Thompson Torres Tran Tucker Turner Vargas Vasquez Wagner Walker Wallace Wang
    Ward Warren Watson Weber Webb Wells West White Williams Wilson Wong Wood Wright Yang Young Zhang
    Zimmerman
    """
)
_DOMAINS = ("example.com", "example.net", "example.org")
_AREA_CODES = _words(
    """
    202 203 207 212 215 216 220 223 234 239 240 248 252 267 270 272 301 302 304 305 313 315 317 321 330
    332 336 339 347 351 352 380 386 401 404 407 410 412 413 419
    """
)
_CITIES = (
    ("Cincinnati", "OH", "45202"),
    ("Dayton", "OH", "45402"),
    ("Columbus", "OH", "43215"),
    ("Toledo", "OH", "43604"),
    ("Lexington", "KY", "40507"),
    ("Louisville", "KY", "40202"),
    ("Indianapolis", "IN", "46204"),
    ("Fort Wayne", "IN", "46802"),
    ("Detroit", "MI", "48226"),
    ("Grand Rapids", "MI", "49503"),
    ("Charleston", "WV", "25301"),
    ("Richmond", "VA", "23219"),
)
#: The CRM's leads are numbered from here on, after all households.
FIRST_LEAD = 3001


@dataclass(frozen=True)
class Person:
    """Everything true about one invented person; the systems hold parts of it, spelt in their own ways."""

    number: int
    first_name: str
    last_name: str
    email: str
    other_email: str
    phone: str
    loyalty_card: str
    city: str
    region: str
    postal_code: str


def person(number: int) -> Person:
    """The person behind a household number (1..2500), or a lead (3001..3999); ``phone`` in E.164."""
    dice = Random(f"person {number}")  # noqa: S311
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    lower, short = first.lower(), last.lower()
    email = dice.choice(
        [f"{lower}.{short}{number}", f"{lower[0]}{short}{number}", f"{short}.{lower}{number}"]
    )
    city, region, postal_code = dice.choice(_CITIES)
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{email}@{dice.choice(_DOMAINS)}",
        other_email=f"{lower}_{number}@{dice.choice(_DOMAINS)}",
        phone=f"+1{_AREA_CODES[number // 100]}55501{number % 100:02d}",
        loyalty_card=f"44{number * 104_729 % 10**8:08d}",
        city=city,
        region=region,
        postal_code=postal_code,
    )
