// Reading mail in the inbox in the browser, as a developer does. What must not live here: what the
// mails are about.

import { api } from "./rig.mjs";

export async function newest(visitor, address) {
  const page = await api("GET", `inbox/messages?limit=20&to=${encodeURIComponent(address)}`);
  return api("GET", `inbox/messages/${page.items[0].id}`);
}
