"""Each order is of a customer that exists or of a guest, at a possible time, in a known currency, and its sums are its own."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, few, known, none, within

TABLES = ("orders",)

#: ISO 4217, active; XXX is an order that names no currency.
CURRENCIES = tuple(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG
    QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
    TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF XXX YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905  a list of quoted codes is not to be read
)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    here = candidate.table(table)
    codes = ", ".join(f"'{code}'" for code in CURRENCIES)
    return [
        known(
            here,
            "customer_id",
            candidate.table("customers"),
            meaning="every order is of a customer that exists, or of a guest",
            what_to_do="a merged or split customer was not made again: run with --full-refresh and report it",
        ),
        none(
            "guests told apart",
            here,
            "is_guest <> (customer_id is null)",
            meaning="an order is a guest's where it names no known customer, and only there",
            what_to_do="run with --full-refresh and report it",
        ),
        none(
            "sums right",
            here,
            "net_amount <> gross_amount + refund_amount or refund_amount > 0",
            meaning="what an order came to is what was paid less what was given back",
            what_to_do="the model adds up wrongly, or refunds have the wrong sign: look at the staging model's line_type",
        ),
        none(
            "known currencies",
            here,
            f"currency not in ({codes})",
            detail=f"(select string_agg(distinct source, ', ') from {here} where currency not in ({codes}))",
            meaning="currencies are those of ISO 4217",
            what_to_do="translate what the source calls its currency in the staging model",
        ),
        *few(
            "amounts have a currency",
            here,
            "net_amount <> 0 and currency = 'XXX'",
            share=0.01,
            meaning="every order that has an amount says in which currency",
            what_to_do="let the staging model fill in the currency of the source",
        ),
        *few(
            "possible times",
            here,
            "ordered_at is null or not isfinite(ordered_at) or ordered_at < '1971-01-01' "
            f"or ordered_at > greatest({candidate.as_of}, clock_timestamp()) + interval '1 day'",
            share=0.01,
            meaning="orders have a time, after 1970 and before tomorrow",
            what_to_do="correct the times at the source, or in the staging model if it reads them wrongly",
        ),
        none(
            "not after the as-of instant",
            here,
            f"ordered_at > {candidate.as_of}",
            severity="info",
            meaning="no order is later than the instant that the run speaks about (they do not count in any as-of figure)",
            what_to_do="nothing if the as-of instant lies in the past; else see whether the source's clock is wrong",
        ),
        *_new_currencies(candidate, here),
    ]


def _new_currencies(candidate: Candidate, here: str) -> list[Rule]:
    before = candidate.before("orders", "source", "currency", "order_key")
    if before is None:
        return []
    new = f"""
        select judged.source, count(*) as orders
        from {here} as judged
        where exists (select from {before} as served where served.source = judged.source)
            and (judged.source, judged.currency) not in (select source, currency from {before})
        group by judged.source
    """
    return [
        within(
            "currencies of the sources",
            f"(select coalesce(sum(orders), 0) from ({new}) as found)",
            most=0,
            severity="warning",
            meaning="no source that was served has orders in a currency that it did not have",
            what_to_do="did the source begin to sell in it, or rename its currency?",
        ),
        within(
            "currencies of the sources, suddenly",
            f"(select coalesce(sum(orders), 0) from ({new}) as found)",
            most=20,
            severity=candidate.severity(),
            detail=f"(select string_agg(source || ' ' || orders, ', ') from ({new}) as found)",
            meaning="no source that was served has more than 20 orders in a currency that it did not have",
            what_to_do="if the source renamed its currency, translate it in the staging model and reject the load; "
            "if it does sell in it now, raise the bound in expectations/release/orders.py",
        ),
    ]
