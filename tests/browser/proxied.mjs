// The same pages where a proxy shows them by https and below a path: nothing leads out of it, and
// the cookies are bound to the host.

import { Visitor, api, deliver, given, holds, same, withChromium } from "./rig.mjs";
import { newest } from "./mailbox.mjs";
import { FIRST, Person, SECOND } from "./people.mjs";

await withChromium(async (browser) => {
  const visitor = await Visitor.open(browser, "proxied", { ignoreHTTPSErrors: true, locale: "en-GB" });
  const person = new Person(visitor, "en");
  await visitor.tries("registers", () => registers(person));
  await visitor.tries("its cookies", () => bound(visitor));
  await visitor.tries("resets the password", () => resets(person));
  await visitor.tries("goes around", () => around(person));
  await visitor.tries("is told of mail", () => told(visitor));
  for (const path of ["docs", "docs/"]) await visitor.tries("the API browser", () => triedOut(visitor, path));
  await visitor.close();
});

async function registers(person) {
  const { page, visitor } = person;
  await person.goes("./");
  await page.locator('main a[href$="users/"]').click();
  await person.at("users/login/");
  await person.follows("users/register/");
  await person.sends({ email: person.email });
  await person.at("users/register/code/");
  await person.sends({ code: (await newest(visitor, person.email)).codes[0] });
  await person.at("users/register/password/");
  await person.sends({ password: FIRST });
  await person.at("users/");
  // The address of the person, not that of the proxy.
  const { items } = await api("GET", "admin/sessions?limit=1");
  same(items[0].ip, "127.0.0.1", "the client's address");
}

async function bound(visitor) {
  const cookies = await visitor.context.cookies();
  holds(cookies.length >= 2, "hardly a cookie");
  for (const { name, path, secure, httpOnly, sameSite } of cookies) {
    holds(name.startsWith("__Host-"), `${name} is not bound to the host`);
    same([path, secure, httpOnly], ["/", true, true], name);
    holds(["Lax", "Strict"].includes(sameSite), `${name}: SameSite=${sameSite}`);
  }
}

async function resets(person) {
  const { page, visitor } = person;
  await person.logsOut();
  await person.follows("users/password_reset/");
  await person.sends({ email: person.email });
  await person.at("users/password_reset_done/");
  const { links } = await newest(visitor, person.email);
  const link = links.find((link) => link.includes("/users/reset/"));
  holds(link.startsWith(`${given.base}users/reset/`), `the link leads to ${link}`);
  await page.goto(link);
  await person.at("users/reset/");
  await person.sends({ new_password: SECOND });
  await person.at("users/reset_done/");
  await page.locator("main a").first().click();
  await person.at("users/login/");
  await person.logsIn(SECOND);
  await person.at("users/");
}

/// Every link of every page that is met leads somewhere below the path.
async function around({ page, visitor }) {
  const waiting = [given.base];
  const seen = new Set(waiting);
  for (const url of waiting) {
    await page.goto(url);
    const links = await page.locator("a[href]").evaluateAll((links) => links.map((link) => link.href));
    for (const link of links.map((link) => link.replace(/#.*$/, ""))) {
      holds(link.startsWith(given.base), `${url} leads to ${link}`);
      const place = link.slice(given.base.length);
      const leaves = /^(docs|openapi|inbox)/.test(place);
      if (!seen.has(link) && !leaves) waiting.push(link);
      seen.add(link);
    }
  }
  holds(seen.size >= 5, `only ${[...seen]}`);
}

/// What happens comes through at once, not when the proxy's buffer is full.
async function told(visitor) {
  const { page } = visitor;
  await visitor.go("inbox/");
  const subject = "through the proxy";
  await deliver("ann@example.com", Buffer.from(`Subject: ${subject}\n\nHello\n`));
  await page.locator(".mails .subject", { hasText: subject }).waitFor();
}

async function triedOut(visitor, path) {
  const { page } = visitor;
  await visitor.go(`${path}#get-/healthz`);
  const button = page.getByRole("button", { name: "TRY", exact: true });
  const wanted = new URL("healthz", given.base).href;
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.url() === wanted),
    button.click(),
  ]);
  same(response.status(), 200, "healthz below the path");
  await page.goto("about:blank");
}
