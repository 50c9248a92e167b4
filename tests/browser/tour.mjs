// A tour of all pages in all their states: whoever takes it says what to do at each. What must not
// live here: what is done there.

import { newest } from "./mailbox.mjs";
import { FIRST, Person, SECOND } from "./people.mjs";
import { Visitor, api, deliver, register } from "./rig.mjs";

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

const HEAD = "From: Bob Example <bob@example.com>\nTo: ann@example.com\nMIME-Version: 1.0\n";
const SAMPLES = [
  `${HEAD}Subject: A plain mail with a subject that is far longer than any screen is wide, and goes on and on, as some do\nContent-Type: text/plain; charset=utf-8\n\nVisit https://example.com/${"very-long-path/".repeat(12)}\n\n${"Words and words. ".repeat(40)}\n${"x".repeat(300)}\n`,
  `${HEAD}Subject: =?utf-8?B?5bCP6ZaA5oi/55qE5L+h?=\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n\n<h1>小門房</h1><p>A mail with <a href="https://example.com/a">a link</a> and <img src="https://example.org/p.png" alt="a picture">.</p>\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="${"invoice-".repeat(12)}.pdf"\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQ=\n--b--\n`,
];

/// The inbox before anything has come.
export async function empty(visitor, lang, look) {
  await new Person(visitor, lang).goes("inbox/");
  await look("inbox-empty");
}

/// The inbox with mail in it, and the views of a mail.
export async function inbox(visitor, lang, look) {
  const { page } = visitor;
  const person = new Person(visitor, lang);
  for (const sample of SAMPLES) await deliver("ann@example.com", Buffer.from(sample));
  const { items } = await api("GET", "inbox/messages?limit=20&to=ann@example.com");
  const [html, plain] = items.map(({ id }) => id);
  await register(`inbox-${visitor.name}@example.com`, FIRST);
  const own = await api("GET", `inbox/messages?limit=1&to=inbox-${visitor.name}@example.com`);
  await person.goes("inbox/");
  await look("inbox");
  await page.locator("[data-help]").click();
  await page.locator("dialog[open]").waitFor();
  await look("inbox-help");
  await person.goes("inbox/?q=example");
  await look("inbox-found");
  await person.goes("inbox/?q=nothing-of-the-kind");
  await look("inbox-none");
  for (const [name, id, query] of [
    ["html", html, "?view=html"],
    ["html-phone", html, "?view=html&width=phone&scheme=dark"],
    ["parts", html, "?view=parts"],
    ["text", plain, "?view=text"],
    ["headers", plain, "?view=headers"],
    ["raw", plain, "?view=raw"],
    ["attempts-none", plain, "?view=attempts"],
    ["own", own.items[0].id, ""],
    ["attempts", own.items[0].id, "?view=attempts"],
  ]) {
    await person.goes(`inbox/${id}/${query}`);
    await look(`inbox-${name}`);
  }
}

/// Where the operator shows the token: a visitor of its own, who seems to come from elsewhere.
export async function operator(browser, options, lang, look) {
  const extraHTTPHeaders = { "X-Forwarded-For": "192.0.2.7" };
  const visitor = await Visitor.open(browser, `operator-${lang.toLowerCase()}`, { ...options, extraHTTPHeaders });
  const person = new Person(visitor, lang);
  await visitor.tries("the operator", async () => {
    await visitor.go("inbox/");
    await person.at("inbox/login/");
    await look(visitor, "inbox-login");
    await person.refused({ token: "gpa_wrong" }, "token");
    await look(visitor, "inbox-login-refused");
  });
  await visitor.close();
}
