"""What happens to a CRM, and to its answers, between two nights."""

from __future__ import annotations

from mutations.corruption import Corruption

_NIGHT = "updated_at >= {since} and updated_at < {until}"
_TOUCHED = "updated_at = {until}::timestamptz - interval '10 minutes'"

CRM: tuple[Corruption, ...] = (
    Corruption(
        "crm-01",
        "an identity that swallows thousands",
        "crm",
        ("contacts.email",),
        "large",
        "all contacts",
        "a migration fills the mandatory e-mail with the company's own",
        (f"update contacts set email = 'info@example.com', {_TOUCHED}",),
    ),
    Corruption(
        "crm-02",
        "everybody agrees",
        "crm",
        ("consents.status",),
        "large",
        "all withdrawals become grants",
        "a new consent tool is filled with its default",
        (f"update consents set status = 'granted', {_TOUCHED} where status = 'withdrawn'",),
    ),
    Corruption(
        "crm-03",
        "everybody withdraws",
        "crm",
        ("consents.status",),
        "large",
        "all grants become withdrawals",
        "the sign of a boolean is turned round in an interface",
        (f"update consents set status = 'withdrawn', {_TOUCHED} where status = 'granted'",),
    ),
    Corruption(
        "crm-04",
        "a truncated answer",
        "crm",
        ("contacts", "consents", "stage_changes", "tickets", "surveys"),
        "large",
        "every answer breaks off in the middle",
        "a proxy cuts off what is longer than it likes",
        wire="cut",
    ),
    Corruption(
        "crm-05",
        "empty lists",
        "crm",
        ("contacts", "consents", "stage_changes", "tickets", "surveys"),
        "large",
        "nothing in any list, without an error",
        "the API user lost the right to see records",
        wire="empty",
    ),
    Corruption(
        "crm-06",
        "a renamed field",
        "crm",
        ("contacts.contact_id",),
        "large",
        "the field is contactId now, in all records",
        "the API's next version writes its names in another way",
        (
            'alter table contacts rename contact_id to "contactId"',
            f"update contacts set {_TOUCHED}",
        ),
    ),
    Corruption(
        "crm-07",
        "people numbered anew",
        "crm",
        ("contacts.contact_id",),
        "large",
        "all contacts come again under new numbers",
        "the CRM is moved to another vendor's cloud",
        (f"update contacts set contact_id = contact_id + 700000, {_TOUCHED}",),
    ),
    Corruption(
        "crm-08",
        "e-mails gone",
        "crm",
        ("contacts.email",),
        "large",
        "all contacts",
        "a privacy setting of the API hides addresses as empty text",
        (f"update contacts set email = '', {_TOUCHED}",),
    ),
    Corruption(
        "crm-09",
        "stages in another language",
        "crm",
        ("stage_changes.stage",),
        "medium",
        "all changes of the night, fewer than 50",
        "an administrator translates the pipeline",
        (f"update stage_changes set stage = 'Kunde' where {_NIGHT}",),
    ),
    Corruption(
        "crm-10",
        "satisfaction turned round",
        "crm",
        ("tickets.satisfaction",),
        "medium",
        "all judged tickets of the night, fewer than 50",
        "one is the best mark from today on",
        (f"update tickets set satisfaction = 6 - satisfaction where {_NIGHT} and satisfaction is not null",),
    ),
    Corruption(
        "crm-11",
        "solved before it was opened",
        "crm",
        ("tickets.solved_at",),
        "medium",
        "all solved tickets of the night, fewer than 50",
        "two servers of the desk do not agree on the time",
        (
            f"update tickets set solved_at = opened_at - interval '2 hours' where {_NIGHT} and solved_at is not null",
        ),
    ),
    Corruption(
        "crm-12",
        "a shared mailbox",
        "crm",
        ("contacts.email",),
        "medium",
        "20 contacts",
        "a sales clerk enters the trade fair's leads with his own address",
        (
            f"update contacts set email = 'sales@example.net', {_TOUCHED} where contact_id in "
            "(select contact_id from contacts order by contact_id limit 20)",
        ),
    ),
    Corruption(
        "crm-13",
        "addresses with a prefix",
        "crm",
        ("contacts.email",),
        "medium",
        "a tenth of the contacts",
        "addresses are copied out of a web page with mailto: before them",
        (
            f"update contacts set email = 'mailto:' || trim(email), {_TOUCHED} where email is not null "
            "and contact_id % 10 = 7",
        ),
    ),
    Corruption(
        "crm-14",
        "a record without its key",
        "crm",
        ("contacts.contact_id",),
        "small",
        "one contact",
        "a draft is sent along",
        (
            "alter table contacts alter contact_id drop not null",
            "update contacts set contact_id = null where contact_id = (select max(contact_id) from contacts "
            f"where {_NIGHT})",
        ),
    ),
    Corruption(
        "crm-15",
        "a date that is none",
        "crm",
        ("tickets.opened_at",),
        "small",
        "one ticket",
        "a form takes free text for a date",
        (
            "alter table tickets alter opened_at type text",
            "update tickets set opened_at = '31.12. abends' where ticket_id = (select max(ticket_id) from tickets "
            f"where {_NIGHT})",
        ),
    ),
    Corruption(
        "crm-16",
        "a consent of nobody",
        "crm",
        ("consents.contact_id",),
        "small",
        "one decision",
        "a contact is deleted, its consent is not",
        (
            "update consents set contact_id = 999999 where consent_id = (select max(consent_id) from consents "
            f"where {_NIGHT})",
        ),
    ),
)
