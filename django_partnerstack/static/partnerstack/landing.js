// Stores a partner's click in cookies on landing pages that Django does not serve, or that it serves before the
// visitor consents, so that the Django site can read it when the visitor signs up:
//
//   <script src="…/partnerstack/landing.js" data-domain="example.com" data-days="90"
//           data-consent="mayKeepClicks" async></script>
//
// data-domain   the parent domain of both sites; by default the cookies are for the landing page's host only
// data-days     how many days the click is stored; 90 by default
// data-consent  the name of a global function that returns whether the click may be stored, or a promise of
//               that; by default it may be stored
//
// The function is asked when the script is loaded, and again after each event "partnerstack:consent" of the
// document. Nothing is stored before it agrees.
//
// The cookies are ps_xid and ps_partner_key, with the key decoded, as PartnerStack's own script sets them, and
// partnerstack_clicks, which contains the last clicks with their times: "seconds.click ID.encoded key~…".
(function () {
  "use strict";

  // The same limits as in django_partnerstack/attribution/parameters.py and script_cookies.py.
  var CLICK_ID = /^[A-Za-z0-9_-]{1,64}$/;
  var BASE64 = /^[A-Za-z0-9+/]{1,1360}$/;
  var PRINTABLE = /^(?: |[^\p{C}\p{Z}]){1,255}$/u;
  var ENTRY = /^[0-9]{1,10}\.[A-Za-z0-9_-]{0,64}\.[A-Za-z0-9_-]{0,1360}$/;
  var CLICKS = "partnerstack_clicks";
  var MAX_CLICKS = 5;
  var MAX_LENGTH = 3500;

  var settings = document.currentScript.dataset;

  function toStandard(encoded) {
    return encoded.replace(/=+$/, "").replace(/-/g, "+").replace(/[_]/g, "/").replace(/ /g, "+");
  }

  function decode(encoded) {
    var standard = toStandard(encoded);
    if (!BASE64.test(standard)) {
      return "";
    }
    try {
      var raw = atob(standard);
      var bytes = Uint8Array.from(raw, function (character) {
        return character.charCodeAt(0);
      });
      var key = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      // Text that does not encode to the same text again is not base64.
      return btoa(raw).replace(/=+$/, "") === standard && PRINTABLE.test(key) ? key : "";
    } catch (error) {
      return "";
    }
  }

  // The key as links contain it, with the characters that a cookie may contain.
  function encodedKey(encoded) {
    return decode(encoded) && toStandard(encoded).replace(/\+/g, "-").replace(/\//g, "_");
  }

  function isClickId(value) {
    return CLICK_ID.test(value) ? value : "";
  }

  // The first of these parameters that is valid. If a parameter occurs twice, its last valid value counts.
  function first(parameters, names, read) {
    for (var name of names) {
      var found = parameters.getAll(name).map(read).filter(Boolean);
      if (found.length) {
        return found.pop();
      }
    }
    return "";
  }

  function write(name, value) {
    var days = Number(settings.days) || 90;
    var cookie = name + "=" + encodeURIComponent(value) + "; Path=/; SameSite=Lax";
    cookie += "; Max-Age=" + (value ? Math.round(days * 86400) : 0);
    if (settings.domain) {
      cookie += "; Domain=" + settings.domain;
    }
    if (location.protocol === "https:") {
      cookie += "; Secure";
    }
    document.cookie = cookie;
  }

  function storedClicks() {
    var start = CLICKS + "=";
    var found = (document.cookie || "").split("; ").find(function (cookie) {
      return cookie.startsWith(start);
    });
    try {
      return decodeURIComponent((found || start).slice(start.length)).split("~").filter(function (entry) {
        return ENTRY.test(entry);
      });
    } catch (error) {
      return [];
    }
  }

  // The clicks with this one as the newest; null if it is among them, because the page was only loaded again.
  function withClick(clickId, key) {
    var clicks = storedClicks();
    var known = clicks.some(function (entry) {
      return clickId && entry.split(".")[1] === clickId;
    });
    if (known) {
      return null;
    }
    if (!clickId && clicks.length && clicks[0].split(".").slice(1).join(".") === "." + key) {
      clicks.shift();
    }
    clicks.unshift([Math.floor(arrivedAt / 1000), clickId, key].join("."));
    clicks = clicks.slice(0, MAX_CLICKS);
    while (clicks.length > 1 && clicks.join("~").length > MAX_LENGTH) {
      clicks.pop();
    }
    return clicks;
  }

  function store() {
    var clicks = withClick(clickId, encoded);
    if (clicks) {
      // All of them, because a value of an earlier click must not be combined with this click.
      write("ps_xid", clickId);
      write("ps_partner_key", decode(encoded));
      write(CLICKS, clicks.join("~"));
    }
  }

  function mayStore() {
    if (!settings.consent) {
      return true;
    }
    var consent = window[settings.consent];
    return typeof consent === "function" && consent();
  }

  function ask() {
    Promise.resolve(mayStore()).then(function (allowed) {
      if (allowed) {
        store();
      }
    });
  }

  var arrivedAt = Date.now();
  var parameters = new URLSearchParams(location.search);
  var clickId = first(parameters, ["ps_xid", "gsxid"], isClickId);
  var encoded = first(parameters, ["ps_partner_key", "gspk"], encodedKey);
  if (clickId || encoded) {
    ask();
    if (settings.consent) {
      document.addEventListener("partnerstack:consent", ask);
    }
  }
})();
