// What the scripts beside this one share: Chromium, visitors in it, and what must not happen to
// them. What must not live here: anything about one page.

import { chromium } from "playwright-core";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

/// What the Rust side says: base (where people find the root, with a slash at its end), direct
/// (where gatepost itself listens), smtp, admin, output (a folder for pictures), root (of the
/// repository), chromium.
export const given = JSON.parse(process.argv[2]);

/// Longer than this, no script takes.
const PATIENCE = 240_000;

// A test that is killed closes our input.
process.stdin.on("end", () => process.exit(1)).on("error", () => process.exit(1)).resume();
process.stdin.unref?.();
const deadline = setTimeout(() => {
  console.error(`not done after ${PATIENCE / 1000} s`);
  process.exit(1);
}, PATIENCE);

const FLAGS = [
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/// No name but that of this machine leads anywhere.
const NOWHERE = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost";

/// Starts Chromium.
export async function launch(hosts, flags = []) {
  return chromium.launch({
    executablePath: given.chromium,
    args: [...FLAGS, ...flags, `--host-resolver-rules=${hosts}`],
    timeout: 60_000,
  });
}

/// Starts Chromium for `work`, and ends it and the script after that. `then` is done when Chromium
/// has ended.
export async function withChromium(work, { hosts = NOWHERE, flags = [], then = async () => {} } = {}) {
  let failed = false;
  const browser = await launch(hosts, flags);
  try {
    try {
      await work(browser);
    } finally {
      await browser.close();
    }
    await then();
  } catch (error) {
    failed = true;
    console.error(error);
  }
  clearTimeout(deadline);
  process.exit(failed ? 1 : 0);
}

/// One person with a browser of their own, who notes whatever goes wrong.
export class Visitor {
  /// Options are those of a context in Playwright.
  static async open(browser, name, options = {}, base = given.base) {
    const visitor = new Visitor();
    visitor.name = name;
    visitor.base = base;
    visitor.complaints = [];
    visitor.expected = new Set();
    visitor.requests = [];
    visitor.context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    visitor.context.setDefaultTimeout(30_000);
    visitor.#listen();
    visitor.page = await visitor.context.newPage();
    return visitor;
  }

  #listen() {
    const complain = (what) => this.complaints.push(`${this.name}: ${what}`);
    const { context } = this;
    context.on("console", (message) => {
      const text = message.text();
      // Told by the answer itself, which is looked at below.
      if (text.startsWith("Failed to load resource: the server responded with a status of")) return;
      if (["error", "warning"].includes(message.type())) {
        complain(`console ${message.type()} at ${message.location().url}: ${text}`);
      }
    });
    context.on("weberror", (error) => complain(`page error: ${error.error().stack}`));
    context.on("dialog", (dialog) => {
      if (this.agrees && dialog.type() === "confirm") {
        dialog.accept();
        return;
      }
      complain(`a dialog: ${dialog.type()} ${dialog.message()}`);
      dialog.dismiss();
    });
    context.on("request", (request) => {
      const url = new URL(request.url());
      this.requests.push(request.url());
      if (!url.href.startsWith(this.base) && !["data:", "about:", "blob:"].includes(url.protocol)) {
        complain(`a request to ${url}`);
      }
    });
    context.on("response", (response) => {
      const status = response.status();
      if (status >= 400 && !this.expected.has(status)) {
        complain(`${status} from ${response.request().method()} ${response.url()}`);
      }
    });
  }

  /// Goes to a place below the base.
  async go(path) {
    return this.page.goto(new URL(path, this.base).href);
  }

  /// Whether the page is now at this place below the base.
  async arrives(path) {
    const wanted = new URL(path, this.base).href;
    await this.page.waitForURL((url) => bare(url.href) === bare(wanted));
  }

  /// Within `work`, answers may have this status.
  async expecting(status, work) {
    this.expected.add(status);
    await work();
    this.expected.delete(status);
  }

  /// Within `work`, what is asked for being sure is answered with yes.
  async agreeing(work) {
    this.agrees = true;
    await work();
    this.agrees = false;
  }

  /// Does it; when it fails, tells where and what is to be seen there.
  async tries(what, work) {
    try {
      return await work();
    } catch (error) {
      const text = await this.page.locator("body").innerText().catch(() => "");
      await this.picture(`failed-${this.name}`).catch(() => {});
      throw new Error(
        `${this.name}: ${what}: ${error.message}\nat ${this.page.url()}, where it says:\n${text.slice(0, 3000)}\n` +
          this.complaints.join("\n"),
      );
    }
  }

  async picture(name, options = {}) {
    const file = `${name.replace(/[^a-z0-9]+/gi, "-")}.png`;
    await this.page.screenshot({ path: join(given.output, file), ...options });
  }

  /// Goes away; throws when something went wrong meanwhile.
  async close() {
    await this.context.close();
    if (this.complaints.length > 0) throw new Error(this.complaints.join("\n"));
  }
}

function bare(url) {
  return url.replace(/[?#].*$/, "").replace(/\/$/, "");
}

/// Fails with `what` unless the two are the same.
export function same(found, wanted, what) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: found ${a}, not ${b}`);
}

/// Fails with `what` unless it holds.
export function holds(truth, what) {
  if (!truth) throw new Error(what);
}

/// Sends one mail, exactly these bytes but for the dots of SMTP.
export async function deliver(to, mail) {
  const [host, port] = given.smtp.split(":");
  const socket = connect(Number(port), host);
  const stuffed = mail.toString("latin1").replace(/\r?\n/g, "\r\n").replace(/^\./gm, "..");
  socket.write(`HELO a.test\r\nMAIL FROM:<bob@example.com>\r\nRCPT TO:<${to}>\r\nDATA\r\n`);
  socket.write(Buffer.from(stuffed, "latin1"));
  socket.write("\r\n.\r\nQUIT\r\n");
  let replies = "";
  for await (const bytes of socket) replies += bytes;
  holds(replies.includes("250 2.0.0"), `a mail is refused: ${replies}`);
}

/// Asks the API as the operator.
export async function api(method, path, body) {
  const answer = await fetch(new URL(`api/v1/${path}`, given.direct), {
    method,
    headers: { authorization: `Bearer ${given.admin}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  holds(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/// The text of axe, which is put into pages by hand: their policy lets no script in.
export function axeSource() {
  const file = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  return readFileSync(file, "utf8");
}

/// Makes an account over the API; the answer holds `user` and `session`.
export async function register(email, password) {
  const before = await api("GET", "inbox/messages?limit=1");
  const last = before.items[0]?.id ?? "";
  await api("POST", "auth/send_verification_code", { email, verification_type: "register" });
  const query = new URLSearchParams({ to: email, timeout: "30", ...(last && { after: last }) });
  const mail = await api("GET", `inbox/wait?${query}`);
  const verified = await api("POST", "auth/verify_code", {
    email,
    verification_type: "register",
    code: mail.codes[0],
  });
  const { verification_token } = verified;
  return api("POST", "auth/register", { email, password, verification_token });
}
