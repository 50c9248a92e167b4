// What a person does from the first visit to the last: registers, comes back, forgets the password,
// changes this and that, and goes. In three languages, with JavaScript and without; the mails are
// read in the inbox in the browser.

import { Visitor, given, holds, same, withChromium } from "./rig.mjs";
import { newest } from "./inbox.mjs";

const LANGUAGES = [
  { locale: "zh-TW", lang: "zh-Hant" },
  { locale: "zh-CN", lang: "zh-Hans" },
  { locale: "en-GB", lang: "en" },
];
const FIRST = "walnut harbour 9";
const SECOND = "harbour walnut 7";

async function lives(browser, { locale, lang }, javaScriptEnabled) {
  const name = `${lang.toLowerCase()}-${javaScriptEnabled ? "script" : "bare"}`;
  const visitor = await Visitor.open(browser, name, { locale, javaScriptEnabled });
  const person = new Person(visitor, lang, javaScriptEnabled);
  for (const step of [
    "registers",
    "logsOutAndIn",
    "resetsThePassword",
    "changesNameAndLanguage",
    "endsAnotherSession",
    "changesTheAddress",
    "deletesTheAccount",
  ]) {
    await visitor.tries(step, () => person[step](browser));
  }
  await visitor.close();
}

class Person {
  constructor(visitor, lang, script) {
    this.visitor = visitor;
    this.page = visitor.page;
    this.lang = lang;
    this.script = script;
    this.email = `${visitor.name}@example.com`;
  }

  /// Is at this place, in the right language.
  async at(path) {
    await this.visitor.arrives(path);
    same(await this.page.locator("html").getAttribute("lang"), this.lang, "the language");
    same(await this.page.locator("h1").count(), 1, "headings of the first level");
  }

  /// Fills in the fields of the form that has them, by name, and sends it.
  async sends(fields, page = this.page) {
    const names = Object.keys(fields);
    let form = page.locator("main form");
    for (const name of names) form = form.filter({ has: page.locator(`[name="${name}"]`) });
    for (const [name, value] of Object.entries(fields)) {
      const field = form.locator(`[name="${name}"]`);
      if ((await field.evaluate((element) => element.localName)) === "select") await field.selectOption(value);
      else await field.fill(value);
    }
    await form.locator("button:not([type=button])").first().click();
  }

  async logsIn(password, page = this.page) {
    await this.sends({ email: this.email, password }, page);
  }

  async registers() {
    await this.visitor.go("users/register/");
    await this.at("users/register/");
    await this.sends({ email: this.email });
    await this.at("users/register/code/");
    const { codes: [code] } = await newest(this.visitor, this.email);
    // A wrong one first: the page says so and keeps the flow.
    const wrong = code === "000000" ? "000001" : "000000";
    await this.refused(() => this.sends({ code: wrong }), "code");
    await this.sends({ code });
    await this.at("users/register/password/");
    await this.refused(() => this.sends({ password: "password" }), "password");
    await this.seesThePassword();
    await this.sends({ password: FIRST });
    await this.at("users/");
    holds((await this.page.locator("main").innerText()).includes(this.email), "the address");
  }

  /// The form comes back with the error tied to the field.
  async refused(send, name) {
    await this.visitor.expecting(422, async () => {
      await send();
      const field = this.page.locator(`main [name="${name}"][aria-invalid="true"]`);
      await field.waitFor();
      const said = (await field.getAttribute("aria-describedby")).split(" ");
      const texts = await Promise.all(said.map((id) => this.page.locator(`#${id}`).innerText()));
      holds(texts.join("").trim().length > 0, "no words about what is wrong");
    });
  }

  /// With JavaScript a password can be shown, and what is typed leaves the page no sooner than it
  /// is sent. Without it there is no button that does nothing.
  async seesThePassword() {
    const field = this.page.locator("main [name=password]");
    const shows = this.page.locator("main button[type=button]:visible");
    if (!this.script) {
      same(await shows.count(), 0, "buttons that need JavaScript");
      return;
    }
    const requests = this.visitor.requests.length;
    await field.pressSequentially(FIRST);
    await shows.first().click();
    same(await field.getAttribute("type"), "text", "a shown password");
    await shows.first().click();
    same(await field.getAttribute("type"), "password", "a hidden password");
    same(this.visitor.requests.length, requests, "requests while a password is typed");
    await field.fill("");
  }

  async logsOutAndIn() {
    await this.page.locator('form[action$="users/logout/"] button').first().click();
    await this.at("users/login/");
    // What asks for a session leads to the login and back.
    await this.visitor.go("users/");
    await this.at("users/login/");
    await this.refused(() => this.logsIn("not my password"), "password");
    await this.logsIn(FIRST);
    await this.at("users/");
    await this.page.locator('form[action$="users/logout/"] button').first().click();
    await this.at("users/login/");
  }

  async resetsThePassword() {
    await this.page.locator('main a[href$="users/password_reset/"]').first().click();
    await this.at("users/password_reset/");
    await this.sends({ email: this.email });
    await this.at("users/password_reset_done/");
    const { links } = await newest(this.visitor, this.email);
    const link = links.find((link) => link.includes("/users/reset/"));
    const token = link.match(/reset\/[^/]+\/([^/]+)\//)[1];
    await this.page.goto(link);
    await this.at("users/reset/");
    holds(!this.page.url().includes(token), "the token stays in the URL");
    holds(!(await this.page.content()).includes(token), "the token stands in the page");
    await this.refused(() => this.sends({ new_password: "short" }), "new_password");
    await this.sends({ new_password: SECOND });
    await this.at("users/reset_done/");
    await this.visitor.go("users/login/");
    await this.logsIn(SECOND);
    await this.at("users/");
    // Once.
    await this.visitor.expecting(410, async () => {
      await this.visitor.context.newPage().then(async (page) => {
        await page.goto(link);
        same(await page.locator("[name=new_password]").count(), 0, "a link works twice");
        await page.close();
      });
    });
  }

  async changesNameAndLanguage() {
    const name = "王小明 <b>& Söhne</b>";
    const other = this.lang === "en" ? "zh-hans" : "en";
    await this.sends({ display_name: name, language: other });
    this.lang = other === "en" ? "en" : "zh-Hans";
    await this.at("users/");
    same(await this.page.locator("[name=display_name]").inputValue(), name, "the name");
  }

  async endsAnotherSession(browser) {
    const elsewhere = await Visitor.open(browser, `${this.visitor.name}-elsewhere`, {
      userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      javaScriptEnabled: this.script,
    });
    await elsewhere.go("users/login/");
    await this.logsIn(SECOND, elsewhere.page);
    await elsewhere.arrives("users/");
    await this.visitor.go("users/");
    const other = this.page.locator('form[action$="users/sessions/"] li').filter({ hasText: "Firefox" });
    same(await other.count(), 1, "sessions of Firefox");
    await other.locator("button").click();
    await this.at("users/");
    same(await this.page.locator("main").getByText("Firefox").count(), 0, "sessions of Firefox");
    await elsewhere.go("users/");
    await elsewhere.arrives("users/login/");
    await elsewhere.close();
  }

  async changesTheAddress() {
    const before = this.email;
    await this.page.locator('main a[href$="users/email/"]').first().click();
    await this.at("users/email/");
    this.email = `new-${before}`;
    await this.sends({ new_email: this.email, current_password: SECOND });
    await this.at("users/email/code/");
    const { codes: [code] } = await newest(this.visitor, this.email);
    await this.sends({ code });
    await this.at("users/");
    holds((await this.page.locator("main").innerText()).includes(this.email), "the new address");
  }

  async deletesTheAccount() {
    await this.page.locator('main a[href$="users/delete/"]').first().click();
    await this.at("users/delete/");
    await this.refused(() => this.sends({ current_password: "not my password" }), "current_password");
    await this.sends({ current_password: SECOND });
    await this.visitor.go("users/");
    await this.at("users/login/");
    await this.refused(() => this.logsIn(SECOND), "password");
  }
}

await withChromium(async (browser) => {
  for (const javaScriptEnabled of [true, false]) {
    await Promise.all(LANGUAGES.map((language) => lives(browser, language, javaScriptEnabled)));
  }
});
