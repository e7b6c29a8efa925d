"""Why a corruption that passes may pass: what no gate can or should see. One without a reason is a gap in the gates."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "shop-20": "A tenth of one night's lines at ten times their price lift the mean of the amounts to about twice the usual, "
    "which is within what the days' means vary by, and each price is one that other products have. Nothing holds a "
    "product's price against its own earlier ones.",
    "shop-22": "Some seven of a night's ninety orders: at the demo's size an hour of the afternoon without one comes by chance "
    "every few months, and the day's rows stay within what days differ by.",
    "shop-26": "Harmless: an order dated after the as-of instant does not count until then, and two of a night are "
    "what tills' clocks do; a rule that sets aside what is a few hours early would set aside true orders.",
    "shop-27": "An address that two people share looks like the one person that identity is there to find. The merge stands "
    "in marts.customer_merges with its cause, and the next correction splits the two again.",
    "shop-28": "Both customers exist and both receipts are likely ones: nothing but the two people know. The shop's "
    "correction moves them.",
    "crm-10": "Two judged tickets: a bad day looks the same. A scale that turns round for all shows as a shift of the "
    "column's distribution as soon as a night brings 20 judged tickets.",
    "crm-16": "Without effect: a decision of a contact that nobody knows belongs to no customer in the marts, and joins its "
    "customer if the contact comes later than its consent, as it does on ordinary nights.",
}
