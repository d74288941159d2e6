// What the drivers in JavaScript share: the local OpenTok to call, and how a call is told.
"use strict";
const { readFileSync } = require("node:fs");

const { OPENTOK_URL: url, OPENTOK_KEY: key, OPENTOK_SECRET: secret } = process.env;
const privateKey = secret.endsWith(".pem") ? readFileSync(secret, "utf8") : null;
const FEW_SECONDS = 5000;

async function control(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  const options = { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(`${url}/_control/${path}`, options);
  if (!answer.ok) throw new Error(`control ${path}: ${answer.status}`);
  return answer.json();
}

// An error thrown in an SDK's own callback is no rejection of any promise.
let fail = stop;
process.on("uncaughtException", (error) => fail(error));

function stop(error) {
  console.error(error);
  process.exit(1);
}

// Makes a call and prints what became of it. Resolves to its answer, undefined if it failed.
async function tell(call, make) {
  let timer;
  const lost = new Promise((resolve, reject) => {
    fail = reject;
    timer = setTimeout(() => reject(new Error("no answer")), FEW_SECONDS);
  });
  try {
    const answer = await Promise.race([Promise.resolve().then(make), lost]);
    console.log(JSON.stringify({ call, ok: true }));
    return answer;
  } catch (error) {
    console.log(JSON.stringify({ call, ok: false, error: String(error?.message ?? error) }));
  } finally {
    clearTimeout(timer);
    fail = stop;
  }
}

// The client, which notes what is called, and what prints the public methods that were not.
function watched(client, besides) {
  const called = new Set(besides);
  const watching = new Proxy(client, {
    get(target, name) {
      const value = target[name];
      if (typeof value !== "function") return value;
      called.add(name);
      return value.bind(target);
    },
  });
  function tellUncalled() {
    const kind = Object.getPrototypeOf(client);
    const names = new Set([...Object.keys(client), ...Object.getOwnPropertyNames(kind)]);
    const uncalled = [...names].filter((name) => {
      return name !== "constructor" && typeof client[name] === "function" && !called.has(name);
    });
    console.log(JSON.stringify({ uncalled }));
  }
  return [watching, tellUncalled];
}

function has(answer, id) {
  if (!JSON.stringify(answer ?? null).includes(id)) throw new Error(`${id} is not in the answer`);
  return answer;
}

module.exports = { url, key, secret, privateKey, control, tell, watched, has };
