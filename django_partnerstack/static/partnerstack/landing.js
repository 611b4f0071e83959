// Keeps a partner's click for a Django site that a visitor comes to later, on landing pages that are not
// Django's:
//
//   <script src="…/partnerstack/landing.js" data-domain="example.com" data-days="90"
//           data-consent="mayKeepClicks" async></script>
//
// data-domain   the parent domain that both sites share; without it the landing page's host alone
// data-days     how long the click is kept: 90 days without it
// data-consent  the name of a function of the page that says whether it may be kept, or gives a promise of
//               that; without it, it may
//
// Writes the cookies ps_xid and ps_partner_key as PartnerStack's own script does, with the key decoded.
(function () {
  "use strict";

  // All of these as the Django side reads them.
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
      // What does not encode to the same text again is no base64.
      return btoa(raw).replace(/=+$/, "") === standard && PRINTABLE.test(key) ? key : "";
    } catch (error) {
      return "";
    }
  }

  function isClickId(value) {
    return CLICK_ID.test(value) ? value : "";
  }

  // The first of these parameters that can be read. Of one that is there twice the last counts.
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

  function mayKeep() {
    if (!settings.consent) {
      return true;
    }
    var ask = window[settings.consent];
    return typeof ask === "function" && ask();
  }

  var parameters = new URLSearchParams(location.search);
  var clickId = first(parameters, ["ps_xid", "gsxid"], isClickId);
  var partnerKey = first(parameters, ["ps_partner_key", "gspk"], decode);
  if (clickId || partnerKey) {
    Promise.resolve(mayKeep()).then(function (allowed) {
      if (allowed) {
        // Both, so that nothing of an earlier click is taken for a part of this one.
        write("ps_xid", clickId);
        write("ps_partner_key", partnerKey);
      }
    });
  }
})();
