import base64
import copy
import pickle
import re
from urllib.parse import quote

import pytest
import requests

from django_partnerstack.client.credentials import Keys, Scrubber, TrackingToken
from django_partnerstack.exceptions import InvalidArgument

from .conftest import PUBLIC, SECRET, TOKEN


def sent(auth):
    request = requests.Request("GET", "https://example.com/", auth=auth).prepare()
    return request.headers["Authorization"]


def test_the_keys_are_sent_as_the_authentication_page_shows():
    by_hand = requests.auth.HTTPBasicAuth(PUBLIC, SECRET)
    assert sent(Keys(PUBLIC, SECRET)) == sent(by_hand)


def test_the_tracking_token_is_sent_as_a_bearer_token():
    assert sent(TrackingToken(TOKEN)) == f"Bearer {TOKEN}"


def test_keys_are_not_shown():
    shown = repr(Keys(PUBLIC, SECRET)) + repr(TrackingToken(TOKEN)) + Keys(PUBLIC, SECRET).masked
    assert "Canary" not in shown


def test_the_masked_public_key_distinguishes_two_accounts():
    assert Keys(PUBLIC, SECRET).masked == "pk_…1234"


def test_a_short_public_key_is_masked_completely():
    assert Keys("pk_short", SECRET).masked == "***"


@pytest.mark.parametrize(
    "holder", [Keys(PUBLIC, SECRET), TrackingToken(TOKEN), Scrubber(Keys(PUBLIC, SECRET))]
)
@pytest.mark.parametrize("store", [pickle.dumps, copy.copy, copy.deepcopy])
def test_credentials_cannot_be_pickled_or_copied(holder, store):
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        store(holder)


@pytest.mark.parametrize("bad", ["", " sk_x", "sk_x\n", "sk x", "sk_é", "sk_\ud800", None, 5])
def test_a_text_that_cannot_be_a_key_is_refused_and_not_shown(bad):
    with pytest.raises(InvalidArgument, match="secret_key") as caught:
        Keys(PUBLIC, bad).check()
    assert "sk_x" not in str(caught.value)


def test_a_colon_in_the_public_key_is_refused():
    with pytest.raises(InvalidArgument, match="colon"):
        Keys("pk:x", SECRET).check()


def test_the_scrubber_replaces_every_form_of_a_key():
    keys = Keys(PUBLIC, SECRET)
    text = f"{PUBLIC} / {SECRET} / {sent(keys)} / {TOKEN}"
    assert Scrubber(keys, TrackingToken(TOKEN))(text) == "*** / *** / Basic *** / ***"


def encodings(text):
    """Each form in which a server may repeat a text, by name."""
    standard, url = (
        encode(text.encode()).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode)
    )
    found = {
        "plain": text,
        "Base64": standard,
        "unpadded": standard.rstrip("="),
        "URL alphabet": url,
        "URL alphabet, unpadded": url.rstrip("="),
        "hexadecimal": text.encode().hex(),
    }
    quoted = {f"{name}, percent-encoded": quote(each, safe="") for name, each in found.items()}
    lower = {f"{name}, lower": re.sub("%..", lambda m: m[0].lower(), each) for name, each in quoted.items()}
    return {**found, **quoted, **lower}


# The second pair has every character of Base64 that has more than one form.
PAIRS = [(PUBLIC, SECRET), ("pk_?>~?>~?>~", "sk_~~~???>>>+/=")]


@pytest.mark.parametrize("pair", PAIRS)
def test_the_scrubber_replaces_every_encoding_of_every_key(pair):
    scrub = Scrubber(Keys(*pair), TrackingToken(TOKEN))
    texts = [*pair, ":".join(pair), TOKEN]
    found = {(text, name): scrub(f"<{each}>") for text in texts for name, each in encodings(text).items()}
    kept = {
        key: text
        for key, text in found.items()
        if not re.fullmatch(r"<\*{3}(:|%3A|%3a|=|%3D|%3d|\*{3})*>", text)
    }
    # Only the pair as a whole is sent, and never in hexadecimal digits.
    assert {name for text, name in kept if text != ":".join(pair)} == set()
    assert {name.partition(",")[0] for _, name in kept} <= {"hexadecimal"}


def test_a_key_that_begins_with_another_key_is_replaced_completely():
    assert Scrubber(Keys("pk_one", "pk_one_two"))("pk_one_two") == "***"


def test_the_scrubber_replaces_a_key_whose_slashes_are_escaped_in_json():
    keys = Keys("pk_0123456789abc", "sk_??>>~~~/obviously-fake")
    scrub = Scrubber(keys)
    for secret in keys.secrets():
        assert "/" not in secret or scrub('{"e": "' + secret.replace("/", r"\/") + '"}') == '{"e": "***"}'
    assert any("/" in secret for secret in keys.secrets())
