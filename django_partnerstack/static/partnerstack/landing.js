// Stores a partner's click in cookies on landing pages that Django does not serve, so that the Django site can
// read it when the visitor signs up:
//
//   <script src="…/partnerstack/landing.js" data-domain="example.com" data-days="90"
//           data-consent="mayKeepClicks" async></script>
//
// data-domain   the parent domain of both sites; by default the cookies are for the landing page's host only
// data-days     how many days the click is stored; 90 by default
// data-consent  the name of a global function that returns whether the click may be stored, or a promise of
//               that; by default it may be stored
//
// The cookies are ps_xid and ps_partner_key, with the key decoded, as PartnerStack's own script sets them.
(function () {
  "use strict";

  // The same limits as in django_partnerstack/attribution/parameters.py.
  var CLICK_ID = /^[A-Za-z0-9_-]{1,64}$/;
  var BASE64 = /^[A-Za-z0-9+/]{1,1360}$/;
  var PRINTABLE = /^(?: |[^\p{C}\p{Z}]){1,255}$/u;

  var settings = document.currentScript.dataset;

  function decode(encoded) {
    var standard = encoded.replace(/=+$/, "").replace(/-/g, "+").replace(/[_]/g, "/").replace(/ /g, "+");
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

  function isClickId(value) {
    return CLICK_ID.test(value) ? value : "";
  }

  // The first of these parameters that is valid. If a parameter occurs twice, its last value counts, as in Django.
  function first(parameters, names, read) {
    for (var name of names) {
      var found = read(parameters.getAll(name).pop() || "");
      if (found) {
        return found;
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

  function mayStore() {
    if (!settings.consent) {
      return true;
    }
    var consent = window[settings.consent];
    return typeof consent === "function" && consent();
  }

  var parameters = new URLSearchParams(location.search);
  var clickId = first(parameters, ["ps_xid", "gsxid"], isClickId);
  var partnerKey = first(parameters, ["ps_partner_key", "gspk"], decode);
  if (clickId || partnerKey) {
    Promise.resolve(mayStore()).then(function (allowed) {
      if (allowed) {
        // Both, because a value of an earlier click must not be combined with this click.
        write("ps_xid", clickId);
        write("ps_partner_key", partnerKey);
      }
    });
  }
})();
