// What a person does from the first visit to the last: registers, comes back, forgets the password,
// changes this and that, and goes. In three languages, with JavaScript and without; the mails are
// read in the inbox in the browser.

import { Visitor, holds, same, withChromium } from "./rig.mjs";
import { newest } from "./mailbox.mjs";
import { FIRST, LANGUAGES, Person, SECOND } from "./people.mjs";

class Life extends Person {
  constructor(visitor, lang, script) {
    super(visitor, lang);
    this.script = script;
  }

  async registers() {
    await this.goes("users/register/");
    await this.sends({ email: this.email });
    await this.at("users/register/code/");
    const code = (await newest(this.visitor, this.email)).codes[0];
    // A wrong one first: the page says so and keeps the flow.
    await this.refused({ code: code === "000000" ? "000001" : "000000" }, "code");
    await this.sends({ code });
    await this.at("users/register/password/");
    await this.refused({ password: "password" }, "password");
    await this.seesThePassword();
    await this.sends({ password: FIRST });
    await this.at("users/");
    holds((await this.page.locator("main").innerText()).includes(this.email), "the address");
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
    const hint = this.page.locator("main .strength");
    holds((await hint.innerText()).trim().length > 0, "no hint about the strength");
    await shows.first().click();
    same(await field.getAttribute("type"), "text", "a shown password");
    await shows.first().click();
    same(await field.getAttribute("type"), "password", "a hidden password");
    same(this.visitor.requests.length, requests, "requests while a password is typed");
    await field.fill("");
  }

  async logsOutAndIn() {
    await this.logsOut();
    // What asks for a session leads to the login.
    await this.visitor.go("users/");
    await this.at("users/login/");
    await this.refused({ email: this.email, password: "not my password" }, "password");
    await this.logsIn(FIRST);
    await this.at("users/");
    await this.logsOut();
  }

  async resetsThePassword() {
    await this.follows("users/password_reset/");
    await this.sends({ email: this.email });
    await this.at("users/password_reset_done/");
    const { links } = await newest(this.visitor, this.email);
    const link = links.find((link) => link.includes("/users/reset/"));
    const token = link.match(/reset\/[^/]+\/([^/]+)\//)[1];
    await this.page.goto(link);
    await this.at("users/reset/");
    holds(!this.page.url().includes(token), "the token stays in the URL");
    holds(!(await this.page.content()).includes(token), "the token stands in the page");
    await this.refused({ new_password: "short" }, "new_password");
    await this.sends({ new_password: SECOND });
    await this.at("users/reset_done/");
    await this.goes("users/login/");
    await this.logsIn(SECOND);
    await this.at("users/");
    // Once.
    await this.visitor.expecting(400, async () => {
      await this.page.goto(link);
      await this.at("users/reset/");
      same(await this.page.locator("[name=new_password]").count(), 0, "a link works twice");
    });
  }

  async changesNameAndLanguage() {
    const name = "王小明 <b>& Söhne</b>";
    const [tag, lang] = this.lang === "en" ? ["zh-hans", "zh-Hans"] : ["en", "en"];
    await this.goes("users/");
    await this.sends({ display_name: name, language: tag });
    this.lang = lang;
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
    await this.goes("users/");
    const other = this.page.locator('form[action$="users/sessions/"] li').filter({ hasText: "Firefox" });
    same(await other.count(), 1, "sessions of Firefox");
    await other.locator("button").click();
    await this.page.locator("main [role=status]").first().waitFor();
    await this.at("users/");
    same(await other.count(), 0, "sessions of Firefox");
    await elsewhere.go("users/");
    await elsewhere.arrives("users/login/");
    await elsewhere.close();
  }

  /// The choice at the foot of a page is kept, also where nobody is logged in.
  async choosesALanguage() {
    const other = this.lang === "zh-Hant" ? "zh-Hans" : "zh-Hant";
    await this.page.locator(`footer button[value="${other.toLowerCase()}"]`).click();
    this.lang = other;
    await this.page.locator(`html[lang="${other}"]`).waitFor();
    await this.at("users/");
    await this.goes("users/password_reset/");
    await this.goes("users/");
  }

  async changesTheAddress() {
    await this.follows("users/email/");
    this.email = `new-${this.email}`;
    await this.refused({ new_email: this.email, current_password: "not my password" }, "current_password");
    await this.sends({ new_email: this.email, current_password: SECOND });
    await this.at("users/email/code/");
    const code = (await newest(this.visitor, this.email)).codes[0];
    await this.sends({ code });
    await this.at("users/");
    holds((await this.page.locator("main").innerText()).includes(this.email), "the new address");
  }

  async deletesTheAccount() {
    await this.follows("users/delete/");
    await this.refused({ current_password: "not my password" }, "current_password");
    await this.sends({ current_password: SECOND });
    await this.page.locator("main [role=status]").first().waitFor();
    await this.goes("users/login/");
    await this.refused({ email: this.email, password: SECOND }, "password");
  }
}

const STEPS = [
  "registers",
  "logsOutAndIn",
  "resetsThePassword",
  "changesNameAndLanguage",
  "endsAnotherSession",
  "choosesALanguage",
  "changesTheAddress",
  "deletesTheAccount",
];

async function lives(browser, { locale, lang }, javaScriptEnabled) {
  const name = `${lang.toLowerCase()}-${javaScriptEnabled ? "script" : "bare"}`;
  const visitor = await Visitor.open(browser, name, { locale, javaScriptEnabled });
  const life = new Life(visitor, lang, javaScriptEnabled);
  for (const step of STEPS) await visitor.tries(step, () => life[step](browser));
  await visitor.close();
}

await withChromium(async (browser) => {
  for (const javaScriptEnabled of [true, false]) {
    await Promise.all(LANGUAGES.map((language) => lives(browser, language, javaScriptEnabled)));
  }
});
