// The API browser: it asks nobody else, calls the server that it came from wherever that is, and
// is usable by keyboard.

import { Visitor, given, holds, register, same, withChromium } from "./rig.mjs";

const EMAIL = "docs@example.com";
const PASSWORD = "walnut harbour 9";

await withChromium(async (browser) => {
  await register(EMAIL, PASSWORD);
  const visits = ["docs", "docs/"].map(async (path) => {
    const visitor = await Visitor.open(browser, path, { ignoreHTTPSErrors: true });
    await visitor.tries("the API browser", () => tried(visitor, path));
    await visitor.close();
  });
  await Promise.all(visits);
  for (const width of [390, 1280]) {
    const visitor = await Visitor.open(browser, `docs at ${width}`, { viewport: { width, height: 900 } });
    await visitor.tries("to the document", () => linked(visitor));
    await visitor.close();
  }
});

async function tried(visitor, path) {
  const { page } = visitor;
  await visitor.go(path);

  // To an operation by keyboard alone; without a token.
  await page.getByRole("link", { name: "Is the process alive." }).press("Enter");
  await page.waitForURL(/#get-\/healthz$/);
  same((await answer(visitor, "healthz")).status(), 200, "without a token");
  await page.getByText("Response Status").waitFor();

  // What is refused is an answer as well.
  await visitor.go(`${path}#get-/api/v1/auth/me`);
  await visitor.expecting(401, async () => {
    same((await answer(visitor, "api/v1/auth/me")).status(), 401, "without a session");
  });

  // Logs in.
  await visitor.go(`${path}#post-/api/v1/auth/login`);
  const body = page.getByLabel("Request body");
  await body.fill(JSON.stringify({ email: EMAIL, password: PASSWORD }));
  const login = await answer(visitor, "api/v1/auth/login");
  same(login.status(), 200, "a login");
  const { session } = await login.json();

  // And is known from then on.
  await visitor.go(`${path}#auth`);
  const row = page.locator("#security-scheme-session");
  await row.getByPlaceholder("session token").fill(session.token);
  await row.getByRole("button", { name: "SET" }).click();
  await page.getByText("1 API key applied").waitFor();
  await visitor.go(`${path}#get-/api/v1/auth/me`);
  const me = await answer(visitor, "api/v1/auth/me");
  same((await me.json()).user?.email ?? (await me.json()).email, EMAIL, "who am I");
  // A token is for this page alone, and gone with it.
  const kept = await page.evaluate(() => localStorage.length + sessionStorage.length);
  same(kept, 0, "what the browser keeps");
}

/// Presses the button and gives the answer of the server at hand.
async function answer(visitor, path) {
  const { page } = visitor;
  const wanted = new URL(path, given.base).href;
  const button = page.getByRole("button", { name: "TRY", exact: true });
  await page.locator(`.path:visible, [part~="label-operation-path"]:visible`).first().waitFor();
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.url() === wanted),
    button.click(),
  ]);
  return response;
}

async function linked(visitor) {
  const { page } = visitor;
  await visitor.go("docs/");
  await page.locator("#overview").getByText("Accounts and mail in one binary").waitFor();
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  holds(wide <= 0, `${wide} px too wide`);
  await page.getByRole("link", { name: "JSON" }).click();
  await visitor.arrives("openapi.json");
  const document = JSON.parse(await page.locator("body").innerText());
  holds(document.paths["/api/v1/auth/login"], "the document");
}
