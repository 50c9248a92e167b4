// Pictures of each page on a phone, a tablet and a desk, for people to look at; and what can be
// told about them without looking: nothing is wider than the screen, no text is cut off.

import { LANGUAGES } from "./people.mjs";
import { Visitor, withChromium } from "./rig.mjs";
import { account, docs, empty, inbox, operator } from "./tour.mjs";

const WIDTHS = [390, 768, 1280];
/// Those that are pictured in the dark as well.
const DARK = ["account", "login-refused", "home", "docs-login", "inbox", "inbox-html", "inbox-text"];

const found = [];

async function picture(visitor, name, lang) {
  const { page } = visitor;
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(() => document.fonts.ready);
    for (const fault of await page.evaluate(faults)) found.push(`${name}, ${lang} at ${width} px: ${fault}`);
    await visitor.picture(`${name}-${lang}-${width}`, { fullPage: true });
    if (DARK.includes(name) && lang !== "zh-Hans") {
      await page.emulateMedia({ colorScheme: "dark" });
      await visitor.picture(`${name}-${lang}-${width}-dark`, { fullPage: true });
      await page.emulateMedia({ colorScheme: "light" });
    }
  }
}

/// Runs in the page.
function faults() {
  const found = [];
  const { scrollWidth } = document.scrollingElement;
  if (scrollWidth > innerWidth) found.push(`${scrollWidth - innerWidth} px too wide`);
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const box = element.getBoundingClientRect();
    // What is there for screen readers alone is a pixel large.
    if (!text || box.width <= 1 || box.height <= 1) continue;
    const style = getComputedStyle(element);
    const wide = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
    const clipped = ["hidden", "clip"].includes(style.overflowX) && style.textOverflow !== "ellipsis";
    const button = element.matches("button, .button, .tag");
    const outside = box.right > innerWidth + 1 && style.position !== "absolute";
    if ((wide && (clipped || button)) || outside) {
      found.push(`text is cut: <${element.localName} class="${element.className}"> ${element.textContent.trim().slice(0, 60)}`);
    }
  }
  return found;
}

await withChromium(async (browser) => {
  const visits = await Promise.all(
    LANGUAGES.map(async ({ locale, lang }) => {
      const options = { locale, reducedMotion: "reduce" };
      const visitor = await Visitor.open(browser, `shots-${lang.toLowerCase()}`, options);
      const look = (name) => picture(visitor, name, lang);
      await visitor.tries("an empty inbox", () => empty(visitor, lang, look));
      return { visitor, lang, look, options };
    }),
  );
  const tours = visits.map(async ({ visitor, lang, look, options }) => {
    await visitor.tries("pictures", async () => {
      await account(visitor, lang, look);
      await inbox(visitor, lang, look);
      if (lang === "en") await docs(visitor, look);
    });
    await operator(browser, options, lang, (who, name) => picture(who, name, lang));
    await visitor.close();
  });
  await Promise.all(tours);
  if (found.length > 0) throw new Error(found.join("\n"));
});
