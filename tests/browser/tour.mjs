// A tour of all pages in all their states: whoever takes it says what to do at each. What must not
// live here: what is done there.

import { newest } from "./inbox.mjs";
import { FIRST, Person, SECOND } from "./people.mjs";
import { api, register } from "./rig.mjs";

/// The pages around an account, in this visitor's language. `look` is called with a name at each.
export async function account(visitor, lang, look) {
  const person = new Person(visitor, lang);
  const { page } = person;

  await person.goes("./");
  await look("home");
  await person.goes("users/register/");
  await look("register");
  await person.refused({ email: "no address" }, "email");
  await look("register-refused");
  await person.sends({ email: person.email });
  await person.at("users/register/code/");
  await look("code");
  await person.refused({ code: "1" }, "code");
  await look("code-refused");
  await person.goes("users/register/");
  await person.refused({ email: person.email }, "email", 429);
  await look("register-limited");
  await person.goes("users/register/code/");
  await person.sends({ code: (await newest(visitor, person.email)).codes[0] });
  await person.at("users/register/password/");
  await look("password");
  await person.refused({ password: "password" }, "password");
  await look("password-refused");
  await person.sends({ display_name: "Ann Example", password: FIRST });
  await person.at("users/");
  await look("account-new");
  await person.refused({ display_name: "Ann \u202e elpmaxE" }, "display_name");
  await look("account-name-refused");
  await person.goes("users/");
  await person.refused({ current_password: "wrong", new_password: "short" }, "new_password");
  await look("account-password-refused");
  for (let nth = 0; nth < 3; nth++) {
    await api("POST", "auth/login", { email: person.email, password: FIRST });
  }
  await person.goes("users/");
  await look("account");
  await person.goes("users/email/");
  await look("email");
  await person.refused({ new_email: "no address", current_password: FIRST }, "new_email");
  await look("email-refused");
  await person.sends({ new_email: `new-${person.email}`, current_password: FIRST });
  await person.at("users/email/code/");
  await look("email-code");
  await person.refused({ code: "1" }, "code");
  await look("email-code-refused");
  await person.goes("users/delete/");
  await look("delete");
  await person.refused({ current_password: "wrong" }, "current_password");
  await look("delete-refused");
  await person.goes("users/");
  await person.logsOut();
  await look("login-after-logout");
  await person.refused({ email: person.email, password: "wrong" }, "password");
  await look("login-refused");
  await person.goes("users/login/");
  await look("login");
  await person.goes("users/password_reset/");
  await look("reset");
  await person.refused({ email: "no address" }, "email");
  await look("reset-refused");
  await person.sends({ email: person.email });
  await person.at("users/password_reset_done/");
  await look("reset-sent");
  const { links } = await newest(visitor, person.email);
  await page.goto(links.find((link) => link.includes("/users/reset/")));
  await person.at("users/reset/");
  await look("reset-choose");
  await person.refused({ new_password: "short" }, "new_password");
  await look("reset-choose-refused");
  await person.sends({ new_password: SECOND });
  await person.at("users/reset_done/");
  await look("reset-done");
  await visitor.expecting(400, () => person.goes("users/reset/"));
  await look("reset-link-refused");
  await visitor.expecting(404, () => person.goes("nothing/here/"));
  await look("error");
}

/// The API browser.
export async function docs(visitor, look) {
  const { page } = visitor;
  await register(`docs-${visitor.name}@example.com`, FIRST);
  await visitor.go("docs/");
  await page.getByText("Accounts and mail in one binary").first().waitFor();
  await look("docs");
  for (const [name, operation] of [
    ["docs-login", "post-/api/v1/auth/login"],
    ["docs-list", "get-/api/v1/inbox/messages"],
    ["docs-tokens", "auth"],
  ]) {
    await page.goto("about:blank");
    await visitor.go(`docs/#${operation}`);
    if (name === "docs-tokens") await page.getByPlaceholder("session token").waitFor();
    else await page.getByRole("button", { name: "TRY", exact: true }).first().waitFor();
    await look(name);
  }
}
