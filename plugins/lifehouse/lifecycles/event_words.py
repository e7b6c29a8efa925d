"""Each type of event in words: one of them, and several."""

from __future__ import annotations

_WORDS = {
    "first_seen": ("the first sight of them", "first sights"),
    "order": ("an order", "orders"),
    "order_cancelled": ("a cancelled order", "cancelled orders"),
    "refund": ("a refund", "refunds"),
    "consent_granted": ("a granted consent", "granted consents"),
    "consent_withdrawn": ("a withdrawn consent", "withdrawn consents"),
    "visit": ("a visit to the website", "visits to the website"),
    "view": ("a product that they viewed", "viewed products"),
    "cart": ("a product put into the cart", "products put into the cart"),
    "impression": ("an advertisement shown to them", "advertisements shown"),
    "ad_click": ("a click on an advertisement", "clicks on advertisements"),
    "call": ("a call", "calls"),
    "chat": ("a chat", "chats"),
    "store_visit": ("a visit to a store", "visits to a store"),
    "social": ("a sign on a social network", "signs on social networks"),
    "interaction": ("an interaction", "interactions"),
    "message_sent": ("a message sent to them", "messages sent"),
    "message_delivered": ("a delivered message", "delivered messages"),
    "message_opened": ("an opened message", "opened messages"),
    "message_clicked": ("a click in a message", "clicks in messages"),
    "message_bounced": ("a message that bounced", "messages that bounced"),
    "message_unsubscribed": ("an unsubscription", "unsubscriptions"),
    "message_complained": ("a spam complaint", "spam complaints"),
    "message": ("something else about a message", "other things about messages"),
    "campaign_targeted": ("a campaign that chose them", "campaigns that chose them"),
    "offer_made": ("an offer made to them", "offers made"),
    "offer_redeemed": ("a redeemed offer", "redeemed offers"),
    "crm_stage": ("a change of stage in the source's pipeline", "changes of stage in the source's pipeline"),
    "opportunity_opened": ("an opened opportunity", "opened opportunities"),
    "opportunity_won": ("an opportunity won", "opportunities won"),
    "opportunity_lost": ("an opportunity lost", "opportunities lost"),
    "follow_up_planned": ("a planned follow-up", "planned follow-ups"),
    "follow_up_held": ("a follow-up that took place", "follow-ups that took place"),
    "ticket_opened": ("an opened ticket", "opened tickets"),
    "ticket_answered": ("a ticket's first answer", "first answers to tickets"),
    "ticket_solved": ("a solved ticket", "solved tickets"),
    "survey_invited": ("an invitation to a survey", "invitations to surveys"),
    "survey_answered": ("an answered survey", "answered surveys"),
    "review": ("a review that they wrote", "reviews that they wrote"),
    "service_cost": ("a cost of serving them", "costs of serving them"),
    "points_earned": ("points that they earned", "times points were earned"),
    "points_redeemed": ("points that they redeemed", "times points were redeemed"),
    "points_expired": ("points that expired", "times points expired"),
    "points_adjusted": ("points that were adjusted", "times points were adjusted"),
    "tier_changed": ("a change of loyalty tier", "changes of loyalty tier"),
    "referral_made": ("a recommendation that they made", "recommendations that they made"),
    "referral_converted": ("a friend of theirs who bought", "friends of theirs who bought"),
    "referred": ("a recommendation of us to them", "recommendations of us to them"),
    "subscription_started": ("the start of a subscription", "starts of subscriptions"),
    "subscription_renewed": ("a renewal of a subscription", "renewals of subscriptions"),
    "subscription_notice_given": ("a notice to end a subscription", "notices to end a subscription"),
    "subscription_notice_withdrawn": ("a notice that was withdrawn", "notices that were withdrawn"),
    "subscription_ended": ("the end of a subscription", "ends of subscriptions"),
    "product_installed": ("an installed product", "installed products"),
    "product_used": ("a use of a product", "uses of products"),
    "product_maintained": ("upkeep of a product", "products looked after"),
    "product_upgraded": ("an upgrade of a product", "upgrades of products"),
    "product_removed": ("a removed product", "removed products"),
}
#: The types that have words.
KNOWN = frozenset(_WORDS)


def one(event_type: str) -> str:
    """``an order``; of a type without words its name."""
    return _WORDS.get(event_type, (event_type.replace("_", " "), ""))[0]


def several(event_type: str) -> str:
    """``orders``."""
    return _WORDS[event_type][1]


def many(event_type: str, count: int) -> str:
    """``3 orders``; one is told by :func:`one`."""
    if count == 1:
        return one(event_type)
    words = _WORDS.get(event_type)
    return f"{count:,} {words[1] if words else event_type.replace('_', ' ')}"
