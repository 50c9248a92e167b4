// A person in front of the pages of an account: where they are, what they fill in, what they are
// told. What must not live here: in which order.

import { holds, same } from "./rig.mjs";

export const LANGUAGES = [
  { locale: "zh-TW", lang: "zh-Hant" },
  { locale: "zh-CN", lang: "zh-Hans" },
  { locale: "en-GB", lang: "en" },
];
export const FIRST = "walnut harbour 9";
export const SECOND = "harbour walnut 7";

export class Person {
  constructor(visitor, lang) {
    this.visitor = visitor;
    this.page = visitor.page;
    this.lang = lang;
    this.email = `${visitor.name}@example.com`;
  }

  /// Is at this place, in the right language.
  async at(path) {
    await this.visitor.arrives(path);
    same(await this.page.locator("html").getAttribute("lang"), this.lang, "the language");
    same(await this.page.locator("h1").count(), 1, "headings of the first level");
  }

  async goes(path) {
    await this.visitor.go(path);
    await this.at(path);
  }

  /// Fills in the fields of the form that has them, by name, and sends it.
  async sends(fields, page = this.page) {
    let form = page.locator("main form");
    for (const name of Object.keys(fields)) form = form.filter({ has: page.locator(`[name="${name}"]`) });
    for (const [name, value] of Object.entries(fields)) {
      const field = form.locator(`[name="${name}"]`);
      if ((await field.evaluate((element) => element.localName)) === "select") await field.selectOption(value);
      else await field.fill(value);
    }
    await form.locator("button:not([type=button])").first().click();
  }

  /// Sends what comes back with the error tied to the field `name`.
  async refused(fields, name, status = 422) {
    await this.visitor.expecting(status, async () => {
      await this.sends(fields);
      const field = this.page.locator(`main [name="${name}"][aria-invalid="true"]`);
      await field.waitFor();
      const said = (await field.getAttribute("aria-describedby")).trim().split(/\s+/);
      const texts = await Promise.all(said.map((id) => this.page.locator(`#${id}`).innerText()));
      holds(texts.join("").trim().length > 0, "no words about what is wrong");
    });
  }

  async logsIn(password, page = this.page) {
    await this.sends({ email: this.email, password }, page);
  }

  async logsOut() {
    await this.page.locator('form[action$="users/logout/"] button').click();
    await this.at("users/login/");
  }

  /// Follows a link of the page.
  async follows(path) {
    await this.page.locator(`main a[href$="${path}"]`).first().click();
    await this.at(path);
  }
}
