// Mails that want to run something or to be seen from outside, in all views of the inbox: nothing
// of theirs runs, and nothing leaves the browser for anybody but gatepost. That is looked at from
// within (requests, dialogs), at the network (every name that the mails know leads to a socket
// here, which must stay untouched) and in Chromium's own log of its network, where even the names
// that it looks up in advance stand.

import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { Visitor, api, deliver, given, holds, launch, same, withChromium } from "./rig.mjs";

const VIEWS = ["html", "text", "headers", "raw", "parts", "attempts"];
/// Those that are text alone, and have no frame.
const WITHOUT_HTML = ["headers", "html-attachment"];
const LEAK = "leak.test";
const TO = "ann@example.com";

/// Whatever the mails would fetch is asked for here.
let touched = 0;
const trap = createServer((socket) => {
  touched += 1;
  socket.on("error", () => {}).end("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
});
await new Promise((listening) => trap.listen(0, "127.0.0.1", listening));
const HOSTS = `MAP *.${LEAK} 127.0.0.1:${trap.address().port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost`;

const folder = join(given.root, "tests/hostile");
const names = readdirSync(folder).filter((name) => name.endsWith(".eml"));
const mails = new Map();

async function delivered() {
  for (const name of names) {
    await deliver(TO, readFileSync(join(folder, name)));
    const { items } = await api("GET", "inbox/messages?limit=1");
    mails.set(name.replace(".eml", ""), items[0].id);
  }
}

/// Looks at one view, touches what is there, and sees that it is still the page that was asked for.
async function looks(visitor, url) {
  const { page } = visitor;
  await page.goto(url);
  const title = await page.title();
  for (const [x, y] of [[200, 300], [300, 420], [420, 560]]) await page.mouse.move(x, y);
  for (const key of ["Tab", "Tab", "Tab"]) await page.keyboard.press(key);
  same(page.url(), url, "the page went away");
  same(await page.title(), title, "the title of the page");
  holds(!/\bran\b|pwned/.test(title), `a script wrote the title: ${title}`);
  same(visitor.context.pages().length, 1, "pages that were opened");
  // What belongs to gatepost does not stand within the mail: a frame has an origin of its own.
  for (const frame of page.frames().slice(1)) {
    holds(frame.url() === "" || frame.url().startsWith(given.base) || frame.url().startsWith("about:"), `a frame shows ${frame.url()}`);
    holds(frame.parentFrame() === page.mainFrame(), "a frame within a frame");
  }
}

async function reads(browser, options, views = VIEWS) {
  const name = `hostile, ${options.javaScriptEnabled ? "script" : "bare"}, ${options.colorScheme}`;
  const visitor = await Visitor.open(browser, name, options);
  for (const [mail, id] of mails) {
    for (const view of views) {
      const url = new URL(`inbox/${id}/?view=${view}&scheme=${options.colorScheme}`, given.base).href;
      await visitor.tries(`${mail}, ${view}`, () => looks(visitor, url));
    }
    // The document of the frame on its own, where nothing sandboxes it but its own policy.
    const alone = new URL(`inbox/${id}/frame`, given.base).href;
    await visitor.tries(`${mail} without its frame`, async () => {
      visitor.expected.add(404);
      const answer = await visitor.page.goto(alone);
      visitor.expected.delete(404);
      same(answer.status(), WITHOUT_HTML.includes(mail) ? 404 : 200, "its status");
      same(visitor.page.url(), alone, "the page went away");
    });
  }
  await visitor.tries("the list", async () => {
    await visitor.go("inbox/");
    holds((await visitor.page.title()) !== "ran", "a script wrote the title");
  });
  await attachments(visitor);
  await visitor.close();
}

/// What is attached is downloaded; it never becomes a page.
async function attachments(visitor) {
  const { page } = visitor;
  const id = mails.get("html-attachment");
  await visitor.go(`inbox/${id}/?view=parts`);
  const shown = await page.locator(".parts a").evaluateAll((links) => links.map((link) => link.href));
  const { attachments } = await api("GET", `inbox/messages/${id}`);
  holds(attachments.length >= 5 && shown.length === attachments.length, "attachments");
  const raw = [`api/v1/inbox/messages/${id}/raw`, `inbox/${id}/raw`];
  const direct = [...attachments.keys()].map((index) => `api/v1/inbox/messages/${id}/attachments/${index}`);
  for (const url of [...shown, ...[...direct, ...raw].map((path) => new URL(path, given.base).href)]) {
    const went = page.goto(url).then(() => true, () => false);
    const [download] = await Promise.all([page.waitForEvent("download"), went]);
    same(await went, false, `${url} is shown as a page`);
    await download.cancel();
  }
}

/// The events of Chromium's network log that name a host of the mails.
function named(log) {
  const { events } = JSON.parse(readFileSync(log, "utf8"));
  holds(events.length > 100, "the log of the network is empty: is this test blind?");
  return events.map((event) => JSON.stringify(event)).filter((event) => event.includes(LEAK));
}

/// Where somebody asks for the pictures of a mail, they are fetched: the trap works.
async function trapped() {
  const browser = await launch(HOSTS);
  const page = await browser.newPage();
  const caught = new Promise((resolve) => trap.once("connection", resolve));
  await page.goto(new URL(`inbox/${mails.get("pixels")}/?view=html&remote=1`, given.base).href);
  await caught;
  await browser.close();
}

const log = join(given.output, "network.json");
await withChromium(
  async (browser) => {
    await delivered();
    const still = { reducedMotion: "reduce" };
    await Promise.all([
      reads(browser, { ...still, javaScriptEnabled: true, colorScheme: "light" }),
      reads(browser, { ...still, javaScriptEnabled: false, colorScheme: "dark" }, ["html", "text", "headers"]),
    ]);
    await Promise.all([
      reads(browser, { ...still, javaScriptEnabled: true, colorScheme: "dark" }, ["html"]),
      reads(browser, { ...still, javaScriptEnabled: false, colorScheme: "light" }, ["html"]),
    ]);
    same(touched, 0, "connections to hosts of the mails");
  },
  {
    hosts: HOSTS,
    flags: [`--log-net-log=${log}`],
    then: async () => {
      const found = named(log);
      holds(found.length === 0, `the network was asked for hosts of the mails:\n${found.slice(0, 5).join("\n")}`);
      same(touched, 0, "connections to hosts of the mails");
      await trapped();
    },
  },
);
