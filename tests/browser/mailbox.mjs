// Reading one's mail in the inbox in the browser, as a developer does who tries something out.
// What must not live here: what the mails are about, and the inbox for its own sake.

import { api, given, same } from "./rig.mjs";

/// The last mail to each address that was read.
const read = new Map();

/// Opens the next mail to `address` in a tab of its own; the codes and links that stand at its top.
export async function newest(visitor, address) {
  const after = read.get(address);
  const query = new URLSearchParams({ to: address, timeout: "30", ...(after && { after }) });
  const { id } = await api("GET", `inbox/wait?${query}`);
  read.set(address, id);

  const tab = await visitor.context.newPage();
  await tab.goto(new URL("inbox/", visitor.base).href);
  if (await tab.locator('main [name="token"]').count()) await enters(tab);
  const exactly = new RegExp(`(^|\\s)${address.replace(/[.+]/g, "\\$&")}(\\s|$)`);
  const to = tab.locator(".to", { hasText: exactly });
  await tab.locator(".mails a").filter({ has: to }).first().click();
  await tab.waitForURL((url) => url.href.startsWith(new URL(`inbox/${id}/`, visitor.base).href));
  same(await tab.locator("h1").count(), 1, "headings of the first level");
  const codes = await tab.locator(".codes code").allInnerTexts();
  const links = await tab.locator(".links a").evaluateAll((links) => links.map((link) => link.href));
  await tab.close();
  return { codes, links };
}

/// Shows the operator's token where it is asked for.
export async function enters(page) {
  await page.locator('main [name="token"]').fill(given.admin);
  await page.locator("main form button:not([type=button])").click();
  await page.locator("#list").waitFor();
}
