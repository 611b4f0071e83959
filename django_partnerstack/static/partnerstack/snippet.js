// Loads PartnerStackJS (docs.partnerstack.com/docs/growsumojs) without inline code:
// <script src="…/partnerstack/snippet.js" data-key="pk_…" async></script>
(function () {
  "use strict";

  var own = document.currentScript;
  var script = document.createElement("script");
  script.src = "https://js.partnerstack.com/v1/";
  script.async = true;
  if (own.nonce) {
    script.nonce = own.nonce;
  }
  script.onload = function () {
    growsumo._initialize(own.dataset.key);
    if (typeof growsumoInit === "function") {
      growsumoInit();
    }
  };
  document.head.appendChild(script);
})();
