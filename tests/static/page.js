// Runs one of our scripts as a page would, and prints its effects on the page.
// Input, as JSON: {"script": path, "pages": [{"search", "protocol", "dataset", "answer", "nonce"}, …]}
"use strict";

const fs = require("fs");
const vm = require("vm");

async function open(code, page) {
  const cookies = [];
  const loaded = [];
  const calls = [];
  const window = {
    location: { search: page.search || "", protocol: page.protocol || "https:" },
    atob, btoa, TextDecoder, URLSearchParams, Uint8Array, Promise,
    growsumo: { _initialize: (key) => calls.push(["_initialize", key]) },
  };
  if (page.init) window.growsumoInit = () => calls.push(["growsumoInit"]);
  if ("answer" in page) window.mayKeep = () => (page.later ? Promise.resolve(page.answer) : page.answer);
  window.document = {
    currentScript: { dataset: page.dataset || {}, nonce: page.nonce || "" },
    createElement: (tag) => ({ tag }),
    head: { appendChild: (element) => loaded.push(element) },
    set cookie(text) { cookies.push(text); },
  };
  window.window = window;
  vm.runInNewContext(code, window);
  await new Promise(setImmediate);
  for (const element of loaded) element.onload();
  return { cookies, loaded: loaded.map(({ tag, src, async, nonce }) => ({ tag, src, async, nonce })), calls };
}

(async () => {
  const { script, pages } = JSON.parse(fs.readFileSync(0, "utf8"));
  const code = fs.readFileSync(script, "utf8");
  const results = [];
  for (const page of pages) results.push(await open(code, page));
  console.log(JSON.stringify(results));
})();
