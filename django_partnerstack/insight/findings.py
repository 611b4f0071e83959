"""What can be wrong with the integration: the one table of findings, which the documentation prints too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from ..conf import conf


class Severity(IntEnum):
    """
    How urgent a finding is.

    ``ERROR``: PartnerStack gets nothing, or the wrong data. ``WARN``: some objects, or one part, need
    attention. ``INFO``: worth knowing, nothing to do now.
    """

    OK = 0
    INFO = 1
    WARN = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """As in JSON and in the options of commands: ok, info, warn, error."""
        return self.name.lower()


@dataclass(frozen=True)
class Link:
    """A page of this app in the admin, by the name of its URL, and the query that filters it."""

    page: str
    query: str = ""

    @property
    def permission(self) -> str:
        """The permission that the page needs."""
        return f"partnerstack.view_{self.page.split('_')[1]}"

    def url(self, site: str = "admin") -> str:
        """The address within an ``AdminSite``, by its name; empty if that site does not have the page."""
        try:
            url = reverse(f"{site}:{self.page}")
        except NoReverseMatch:
            return ""
        return f"{url}?{self.query}" if self.query else url


@dataclass(frozen=True)
class Finding:
    """
    Something about the integration that somebody should know.

    ``code``: its name, which never changes. ``sentence``: what is the case. ``advice``: what to do.
    ``link``: where the admin shows it; None if it has no page for it.
    """

    code: str
    severity: Severity
    sentence: str
    advice: str
    link: Link | None = None

    def as_dict(self) -> dict[str, str]:
        return {
            "code": self.code,
            "severity": self.severity.word,
            "sentence": self.sentence,
            "advice": self.advice,
        }


@dataclass(frozen=True)
class Kind:
    """An entry of the table. ``sentence`` and ``advice`` may contain parameters, such as ``{number}``."""

    severity: Severity
    sentence: Any
    advice: Any
    page: str = ""
    query: Mapping[str, str] | None = None


MESSAGES, SYNCS = "partnerstack_outboxmessage_changelist", "partnerstack_syncstate_changelist"
CONNECTION, WORKERS = "partnerstack_throttlestate_changelist", "partnerstack_worker_changelist"
SOURCE_ERRORS, WEBHOOKS = "partnerstack_sourcefailure_changelist", "partnerstack_webhookevent_changelist"

#: By code. A code never changes its meaning.
FINDINGS: dict[str, Kind] = {
    "tables-missing": Kind(
        Severity.ERROR,
        _("The tables of this app are missing or outdated."),
        _("Run: manage.py migrate partnerstack"),
    ),
    "database-silent": Kind(
        Severity.ERROR,
        _("The database does not answer: {reason}."),
        _("Start it, or correct DATABASES. Nothing can be queued or sent until then."),
    ),
    "mode-mismatch": Kind(
        Severity.ERROR,
        _("PARTNERSTACK_MODE is {mode}, but PartnerStack returns {seen} data."),
        _("Set the {mode} key pair, or change PARTNERSTACK_MODE."),
        SYNCS,
    ),
    "keys-missing": Kind(
        Severity.ERROR,
        _("No API keys are set, so nothing is exchanged with PartnerStack."),
        _(
            "Set PARTNERSTACK_PUBLIC_KEY and PARTNERSTACK_SECRET_KEY. PartnerStack shows them under Settings "
            "> Integrations > PartnerStack API Keys."
        ),
    ),
    "keys-rejected": Kind(
        Severity.ERROR,
        _("PartnerStack rejects your API keys: {reason}."),
        _(
            "Copy the {mode} key pair again from Settings > Integrations > PartnerStack API Keys, and "
            "restart the worker. Delivery resumes at once."
        ),
    ),
    "no-worker": Kind(
        Severity.ERROR,
        _("Messages have been due since {since}, and no worker runs."),
        _("Run partnerstack_worker as a service."),
        WORKERS,
    ),
    "delivery-stuck": Kind(
        Severity.ERROR,
        _("A worker runs, but delivered nothing in the last hour. Messages have been due since {since}."),
        _("See in the admin what the jobs of the worker do, then restart it."),
        WORKERS,
    ),
    "requests-failing": Kind(
        Severity.ERROR,
        _("No request to PartnerStack has succeeded since {since}: {reason}."),
        _(
            "Messages are kept and retried. Run partnerstack_doctor to see whether the network, "
            "PARTNERSTACK_API_URL or PartnerStack is the cause."
        ),
        CONNECTION,
    ),
    "delivery-disabled": Kind(
        Severity.WARN,
        ngettext_lazy(
            "PARTNERSTACK_PUSH_ENABLED is False, so {number} message is queued and not sent.",
            "PARTNERSTACK_PUSH_ENABLED is False, so {number} messages are queued and not sent.",
            "number",
        ),
        _("Remove the setting to send messages."),
        MESSAGES,
        {"state__exact": "new"},
    ),
    "delivery-paused": Kind(
        Severity.WARN,
        _("Delivery is paused until {until}: {reason}"),
        _("Delivery resumes by itself. If it does not, see the connection in the admin."),
        CONNECTION,
    ),
    "messages-failed": Kind(
        Severity.WARN,
        ngettext_lazy("{number} message failed.", "{number} messages failed.", "number"),
        _("Read the reason in the admin, correct the cause, and retry or cancel the message."),
        MESSAGES,
        {"state__exact": "dead"},
    ),
    "messages-on-hold": Kind(
        Severity.WARN,
        ngettext_lazy("{number} message is on hold.", "{number} messages are on hold.", "number"),
        _("Compare each with PartnerStack in the admin, then release it or mark it as delivered."),
        MESSAGES,
        {"state__exact": "held"},
    ),
    "customers-unreported": Kind(
        Severity.WARN,
        ngettext_lazy(
            "{number} customer was never reported, so its payments wait.",
            "{number} customers were never reported, so their payments wait.",
            "number",
        ),
        _("Save the customers, report them with track.signup, or run partnerstack_backfill."),
        MESSAGES,
        {"state__exact": "waiting"},
    ),
    "source-errors": Kind(
        Severity.WARN,
        ngettext_lazy(
            "{number} object could not be reported: its source failed, or its data cannot be used.",
            "{number} objects could not be reported: their sources failed, or their data cannot be used.",
            "number",
        ),
        _("Correct the cause, then choose Report again in the admin, or run partnerstack_backfill."),
        SOURCE_ERRORS,
    ),
    "erasures-interrupted": Kind(
        Severity.WARN,
        ngettext_lazy(
            "The erasure of {number} forgotten customer was interrupted.",
            "The erasure of {number} forgotten customers was interrupted.",
            "number",
        ),
        _("Run partnerstack_forget with each key that the admin shows as not finished. It goes on."),
        "partnerstack_forgottencustomer_changelist",
    ),
    "sync-failing": Kind(
        Severity.WARN,
        _("The sync of {resources} fails: {reason}."),
        _("It is retried, and the mirrors keep what was read last. If it lasts, run partnerstack_doctor."),
        SYNCS,
    ),
    "sync-stale": Kind(
        Severity.WARN,
        _("The last sync of {resources} was completed at {since}."),
        _(
            "Run partnerstack_worker as a service, or partnerstack_sync from cron. If a worker runs, restart "
            "it with the site's settings."
        ),
        SYNCS,
    ),
    "never-synced": Kind(
        Severity.INFO,
        _("Messages are delivered, but nothing was ever synced from PartnerStack."),
        _("Run partnerstack_worker as a service, or partnerstack_sync from cron, to fill the mirrors."),
        SYNCS,
    ),
    "queue-behind": Kind(
        Severity.INFO,
        ngettext_lazy(
            "Messages have been due since {since}; {number} was delivered in the last hour.",
            "Messages have been due since {since}; {number} were delivered in the last hour.",
            "number",
        ),
        _("The worker catches up by itself, at PARTNERSTACK_REQUESTS_PER_MINUTE at most."),
        MESSAGES,
        {"state__exact": "ready"},
    ),
    "webhooks-silent": Kind(
        Severity.WARN,
        _("Objects changed at PartnerStack at {changed}, but {received}."),
        _("Run partnerstack_doctor, which compares the endpoints at PartnerStack with this site."),
        WEBHOOKS,
    ),
    "webhook-events-waiting": Kind(
        Severity.WARN,
        _("Webhook events have waited since {since}."),
        _("Run partnerstack_worker as a service; if it runs, restart it with the site's settings."),
        WEBHOOKS,
        {"state__exact": "received"},
    ),
    "webhook-events-failed": Kind(
        Severity.WARN,
        ngettext_lazy("{number} webhook event failed.", "{number} webhook events failed.", "number"),
        _("Read the reason in the admin, then choose Process again."),
        WEBHOOKS,
        {"state__exact": "failed"},
    ),
    # Only partnerstack_doctor has the following, because it asks PartnerStack.
    "keys-forbidden": Kind(
        Severity.ERROR,
        _("PartnerStack knows your API keys, but lets them read nothing: {reason}."),
        _("Ask PartnerStack to enable the API for your account, or use the keys of another account."),
    ),
    "partnerstack-unreachable": Kind(
        Severity.ERROR,
        _("PartnerStack cannot be reached: {reason}."),
        _("Check the network, the proxy and PARTNERSTACK_API_URL. Messages are kept and sent later."),
    ),
    "partnerstack-failing": Kind(
        Severity.ERROR,
        _("PartnerStack can be reached, but does not answer as it should: {reason}."),
        _("Wait: messages are kept and sent as soon as it answers. If it lasts, ask PartnerStack's support."),
    ),
    "not-partnerstack": Kind(
        Severity.ERROR,
        _("What answers at PARTNERSTACK_API_URL is not PartnerStack's API: {reason}."),
        _("Correct PARTNERSTACK_API_URL, or remove it: its default is PartnerStack's own address."),
    ),
    "certificate-untrusted": Kind(
        Severity.ERROR,
        _("The certificate of {host} is not trusted: {reason}."),
        _(
            "Correct this machine's clock and certificates. If a proxy replaces the certificate, name its "
            "bundle in the environment as REQUESTS_CA_BUNDLE."
        ),
    ),
    "certificate-expires": Kind(
        Severity.WARN,
        ngettext_lazy(
            "The certificate of {host} expires in {number} day.",
            "The certificate of {host} expires in {number} days.",
            "number",
        ),
        _("Renew it if the host is yours, or tell whoever runs it."),
    ),
    "resources-forbidden": Kind(
        Severity.WARN,
        _("The keys have no permission to read {resources}."),
        _(
            "If your site needs them, ask PartnerStack to enable them: some depend on the plan. The others "
            "are not affected."
        ),
    ),
    "resources-unreadable": Kind(
        Severity.WARN,
        _("PartnerStack did not return {resources}: {reason}."),
        _("Run the doctor again in some minutes. If it lasts, ask PartnerStack's support."),
    ),
    "clock-off": Kind(
        Severity.ERROR,
        _("The clock of {clock} is off by {seconds} seconds, compared with PartnerStack's."),
        _("Set it, and keep it right with NTP. Otherwise look-ups by time do not find what was reported."),
    ),
    "webhooks-unregistered": Kind(
        Severity.WARN,
        _("PartnerStack delivers no webhooks to this site: none of its endpoints has a secret of this site."),
        _("Run: manage.py partnerstack_webhooks register URL, with the URL of your site."),
    ),
    "webhooks-unreachable": Kind(
        Severity.WARN,
        _("Webhooks do not arrive at {url}: {reason}."),
        _(
            "Let the site answer there, without a login, a redirect or a firewall's page, or register its "
            "right URL with partnerstack_webhooks register. Until then a change is seen at the next sync."
        ),
    ),
    "webhooks-insecure": Kind(
        Severity.WARN,
        _("Webhooks are delivered to {url} without encryption, so others can read the secret."),
        _("Register the https URL of your site with partnerstack_webhooks register, with a new secret."),
    ),
    "never-reported": Kind(
        Severity.WARN,
        _("None of the objects of {model} was ever reported."),
        _("Run: manage.py partnerstack_backfill {model} (with --dry-run to count first)."),
    ),
    "test-partner-missing": Kind(
        Severity.ERROR,
        _("PartnerStack has no partner {partner}, which every account has in test mode."),
        _("Check that the keys are the test keys. If they are, create a test partner at PartnerStack."),
    ),
    "rehearsal-failed": Kind(
        Severity.ERROR,
        _('The rehearsal could not "{step}": {reason}.'),
        _("Correct what PartnerStack names, and rehearse again."),
    ),
    "rehearsal-not-shown": Kind(
        Severity.ERROR,
        _("PartnerStack does not show the test {noun} within a minute: {reason}."),
        _("Rehearse again later: new objects can take minutes to appear. Reports are looked up for longer."),
    ),
    "rehearsal-left": Kind(
        Severity.ERROR,
        _("The rehearsal may have left the test {noun} {key} at PartnerStack: {reason}."),
        _("Remove it in PartnerStack's dashboard, or rehearse again after an hour, which removes it."),
    ),
    "not-examined": Kind(
        Severity.WARN,
        _("The doctor could not examine {name}: {reason}."),
        _("Read the log; the other parts are not affected."),
    ),
    "reported-twice": Kind(
        Severity.WARN,
        ngettext_lazy(
            "{number} payment seems to be reported twice: by this site, and by another integration.",
            "{number} payments seem to be reported twice: by this site, and by another integration.",
            "number",
        ),
        _("Run partnerstack_reconcile, and let only one integration report payments."),
        "partnerstack_reconciliationrun_changelist",
    ),
}


def finding(code: str, *, mode: str = "", **parameters: Any) -> Finding:
    """
    The finding of this code, in the active language.

    ``parameters``: what its texts name. Keys from the settings are masked. ``mode``: the mode whose rows the
    link shows; by default the site's.
    """
    kind, values = FINDINGS[code], {"mode": mode or conf.mode, **parameters}
    link = None
    if kind.page:
        link = Link(kind.page, urlencode({"mode": values["mode"], **(kind.query or {})}))
    sentence, advice = (conf.without_keys(text.format(**values)) for text in (kind.sentence, kind.advice))
    return Finding(code, kind.severity, sentence, advice, link)
