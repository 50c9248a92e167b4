// Every page in every state before axe: no violation of WCAG 2.2 A and AA and of its best
// practices, light and dark, on a phone and on a desk.

import { Visitor, axeSource, withChromium } from "./rig.mjs";
import { account, docs, empty, inbox, operator } from "./tour.mjs";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// Rules that markup of others breaks where we cannot mend it, by the name of the page. None.
const EXCUSED = {};

const source = axeSource();
const found = [];
let looked = 0;

/// Runs in the page: what changes with the colours and the width has changed.
async function settled() {
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  const finite = document.getAnimations().filter((each) => each.effect.getComputedTiming().iterations < Infinity);
  await Promise.allSettled(finite.map((each) => each.finished));
}

async function audit(visitor, name) {
  const { page } = visitor;
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(settled);
      if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(source);
      const { violations } = await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values }, iframes: false }), TAGS);
      looked += 1;
      for (const { id, help, nodes } of violations) {
        if (EXCUSED[name]?.includes(id)) continue;
        const places = nodes.slice(0, 5).map((node) => `    ${node.html.slice(0, 300)}\n      ${node.failureSummary.replace(/\n\s*/g, " ")}`);
        found.push(`${name} at ${width} px, ${colorScheme}: ${id} (${help}), ${nodes.length} times:\n${places.join("\n")}`);
      }
    }
  }
}

await withChromium(async (browser) => {
  // The one script of these that lets anything past the policy of the pages: axe itself.
  const options = { bypassCSP: true, locale: "en-GB", reducedMotion: "reduce" };
  const tours = [
    ["axe-empty", (visitor, look) => empty(visitor, "en", look)],
    ["axe-account", (visitor, look) => account(visitor, "en", look)],
    ["axe-inbox", (visitor, look) => inbox(visitor, "en", look)],
    ["axe-docs", docs],
  ];
  for (const [name, tour] of tours) {
    const visitor = await Visitor.open(browser, name, options);
    await visitor.tries(name, () => tour(visitor, (page) => audit(visitor, page)));
    await visitor.close();
  }
  await operator(browser, options, "en", audit);
  if (found.length > 0) throw new Error(`${found.length} findings in ${looked} looks:\n${found.join("\n")}`);
  if (looked < 180) throw new Error(`only ${looked} looks: is this test blind?`);
  console.log(`${looked} looks`);
});
