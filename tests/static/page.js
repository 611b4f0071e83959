// Runs one of our scripts as a page would, and prints its effects on the page.
// Input, as JSON: {"script": path, "pages": [{"search", "protocol", "dataset", "answer", "nonce",
// "now", "jar", "consents"}, …]}: "jar" are the cookies that the browser has, "consents" the answers after the first.
"use strict";

const fs = require("fs");
const vm = require("vm");

async function open(code, page) {
  const cookies = [];
  const loaded = [];
  const calls = [];
  const listeners = [];
  const answers = [page.answer, ...(page.consents || [])];
  const window = {
    location: { search: page.search || "", protocol: page.protocol || "https:" },
    atob, btoa, TextDecoder, URLSearchParams, Uint8Array, Promise, Math,
    Date: { now: () => page.now || Date.now() },
    growsumo: { _initialize: (key) => calls.push(["_initialize", key]) },
  };
  if (page.init) window.growsumoInit = () => calls.push(["growsumoInit"]);
  if ("answer" in page) window.mayKeep = () => {
    const answer = answers.shift();
    return page.later ? Promise.resolve(answer) : answer;
  };
  window.document = {
    currentScript: { dataset: page.dataset || {}, nonce: page.nonce || "" },
    createElement: (tag) => ({ tag }),
    head: { appendChild: (element) => loaded.push(element) },
    addEventListener: (name, listener) => listeners.push([name, listener]),
    get cookie() { return page.jar || ""; },
    set cookie(text) { cookies.push(text); },
  };
  window.window = window;
  vm.runInNewContext(code, window);
  await new Promise(setImmediate);
  for (const _ of page.consents || []) {
    for (const [name, listener] of listeners) if (name === "partnerstack:consent") listener();
    await new Promise(setImmediate);
  }
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
