// The inbox in the browser for its own sake: live, searched, by keyboard, copied from, emptied;
// and the same without JavaScript, as far as that goes.

import { Visitor, api, deliver, given, holds, same, withChromium } from "./rig.mjs";
import { enters } from "./mailbox.mjs";

const mail = (subject, text = "Your code is 482913") =>
  Buffer.from(`From: Bob <bob@example.com>\r\nTo: ann@example.com\r\nSubject: ${subject}\r\n\r\n${text}\r\n`);

const subjects = (page) => page.locator(".mails .subject").allInnerTexts();

async function live(browser) {
  const visitor = await Visitor.open(browser, "live", { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = visitor;
  await visitor.tries("arrives by itself", async () => {
    await visitor.go("inbox/");
    for (const subject of ["first", "second", "third"]) {
      await deliver("ann@example.com", mail(subject));
      await page.locator(".mails .subject", { hasText: subject }).waitFor();
    }
    same(await subjects(page), ["third", "second", "first"], "the list");
    // Told to whoever cannot see it.
    await page.waitForFunction(() => document.getElementById("told").textContent.length > 0);
  });
  await visitor.tries("goes by its keys", async () => {
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(/inbox\/[^/]+\/$/);
    same(await page.locator("h1").innerText(), "second", "the mail");
    await page.keyboard.press("j");
    await page.locator("h1", { hasText: "first" }).waitFor();
    await page.keyboard.press("u");
    await visitor.arrives("inbox/");
    await page.keyboard.press("?");
    await page.locator("dialog[open]").waitFor();
    await page.keyboard.press("Escape");
    // It is gone a little before the focus is back.
    await page.waitForFunction(() => !document.activeElement.closest("dialog"));
    same(await page.locator("dialog[open]").count(), 0, "help that stays");
    await visitor.arrives("inbox/");
  });
  await visitor.tries("searches", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("second");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=second/);
    same(await subjects(page), ["second"], "what is found");
    await page.locator(".mails a").click();
    await page.locator("h1", { hasText: "second" }).waitFor();
  });
  await visitor.tries("copies", async () => {
    await page.keyboard.press("c");
    await page.waitForFunction(() => document.getElementById("told").textContent.includes("482913"));
    same(await page.evaluate(() => navigator.clipboard.readText()), "482913", "the clipboard");
  });
  await visitor.tries("deletes", async () => {
    await visitor.agreeing(() => page.locator("#delete button").click());
    await visitor.arrives("inbox/");
    same(await subjects(page), ["third", "first"], "what is left");
    await page.keyboard.press("j");
    await visitor.agreeing(() => page.keyboard.press("#"));
    await page.locator(".mails .subject", { hasText: "third" }).waitFor({ state: "detached" });
    same(await subjects(page), ["first"], "what is left");
  });
  await visitor.close();
}

async function bare(browser) {
  const visitor = await Visitor.open(browser, "bare", { javaScriptEnabled: false });
  const { page } = visitor;
  await visitor.tries("without JavaScript", async () => {
    await deliver("ann@example.com", mail("fourth"));
    await visitor.go("inbox/");
    same(await subjects(page), ["fourth", "first"], "the list");
    same(await page.locator("button[type=button]:visible").count(), 0, "buttons that need JavaScript");
    await page.locator("#q").fill("fourth");
    await page.locator("#q").press("Enter");
    await page.waitForURL(/q=fourth/);
    await page.locator(".mails a").click();
    same(await page.locator(".codes code").allInnerTexts(), ["482913"], "the codes");
    same(await page.locator("button[type=button]:visible").count(), 0, "buttons that need JavaScript");
    await page.locator("#delete button").click();
    await visitor.arrives("inbox/");
    same(await subjects(page), ["first"], "what is left");
    await page.locator("details.all summary").click();
    await page.locator("details.all button").click();
    await visitor.arrives("inbox/");
    same(await page.locator(".mails").count(), 0, "what is left");
  });
  await visitor.close();
}

/// From elsewhere, nobody sees anything without the operator's token.
async function guarded(browser) {
  const visitor = await Visitor.open(browser, "elsewhere", {
    extraHTTPHeaders: { "X-Forwarded-For": "192.0.2.7" },
  });
  const { page } = visitor;
  await visitor.tries("from elsewhere", async () => {
    await deliver("ann@example.com", mail("guarded"));
    const { items } = await api("GET", "inbox/messages?limit=1");
    for (const path of ["inbox/", `inbox/${items[0].id}/`]) {
      await visitor.go(path);
      await visitor.arrives("inbox/login/");
      holds(!(await page.content()).includes("guarded"), "a mail is shown");
    }
    for (const path of ["frame", "raw"]) {
      const answer = await visitor.context.request.get(new URL(`inbox/${items[0].id}/${path}`, given.base).href);
      holds([401, 403].includes(answer.status()), `${path} answers ${answer.status()}`);
    }
    await visitor.expecting(422, async () => {
      await page.locator('main [name="token"]').fill("gpa_wrong");
      await page.locator("main form button:not([type=button])").click();
      await page.locator('main [name="token"][aria-invalid="true"]').waitFor();
    });
    await enters(page);
    same(await subjects(page), ["guarded"], "the list");
    await page.locator('form[action$="inbox/logout/"] button').click();
    await visitor.go("inbox/");
    await visitor.arrives("inbox/login/");
  });
  await visitor.close();
}

await withChromium(async (browser) => {
  await live(browser);
  await bare(browser);
  await guarded(browser);
});
