// The API browser: gives the library its document and its colours, lets what is tried out call the
// server that this page came from, wherever a proxy put it, and mends what keeps the library's own
// markup from the keyboard and from screen readers.
(() => {
  "use strict";
  const docs = document.querySelector("rapi-doc");
  const root = new URL(document.documentElement.dataset.root, location.href);
  const spec = JSON.parse(document.getElementById("document").textContent);
  spec.servers = [{ url: root.href.replace(/\/$/, "") }];

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 768px)");
  const LIGHT = {
    "theme": "light",
    "bg-color": "#ffffff",
    "text-color": "#1d2430",
    "primary-color": "#2456d6",
    "nav-bg-color": "#f2f4f7",
    "nav-text-color": "#333c48",
    "nav-hover-bg-color": "#e1e6ed",
    "nav-hover-text-color": "#1b43ad",
    "nav-accent-color": "#2456d6",
  };
  const DARK = {
    "theme": "dark",
    "bg-color": "#14181d",
    "text-color": "#e4e8ee",
    "primary-color": "#8ab8ff",
    "nav-bg-color": "#1b2027",
    "nav-text-color": "#c9d0da",
    "nav-hover-bg-color": "#2a323c",
    "nav-hover-text-color": "#ffffff",
    "nav-accent-color": "#8ab8ff",
  };
  const dress = () => {
    for (const [name, value] of Object.entries(dark.matches ? DARK : LIGHT)) {
      docs.setAttribute(name, value);
    }
    // The library hides its list of operations where there is little room; this style needs none.
    docs.setAttribute("render-style", narrow.matches ? "view" : "focused");
  };
  dress();
  dark.addEventListener("change", dress);
  narrow.addEventListener("change", dress);

  const give = (element, name, value) => {
    if (!element.hasAttribute(name)) element.setAttribute(name, value);
  };
  // What the library clicks by mouse alone.
  const operable = (element, role) => {
    if (element.hasAttribute("tabindex")) return;
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", role);
    element.addEventListener("keydown", (event) => {
      if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      element.click();
    });
    // The library shows the operation, and leaves the address as it is.
    if (element.dataset.contentId) {
      element.addEventListener("click", () => history.pushState(null, "", `#${element.dataset.contentId}`));
    }
  };
  const mend = (shadow) => {
    const all = (selector, then) => shadow.querySelectorAll(selector).forEach(then);
    all("nav.nav-bar", (nav) => give(nav, "aria-label", "API"));
    all("nav.nav-scroll", (nav) => give(nav, "aria-label", "Operations"));
    all(".nav-bar-info, .nav-bar-path, .nav-bar-h1, .nav-bar-h2, .nav-bar-components", (item) => operable(item, "link"));
    all(".nav-bar-tag", (item) => operable(item, "button"));
    // Enter in the field beside it does the same.
    all("input + div[style*='cursor:pointer']", (item) => item.setAttribute("aria-hidden", "true"));
    all("span[style*='cursor:pointer'], div[style*='cursor:pointer']:not([aria-hidden])", (item) => operable(item, "button"));
    all("h3[part='section-operation-tag']", (heading) => give(heading, "aria-level", "2"));
    all("textarea.request-body-param-user-input", (field) => give(field, "aria-label", "Request body"));
    // Which of the tokens: the library calls all of them the same.
    all("tr[id^='security-scheme-'] input", (field) => {
      field.placeholder = `${field.closest("tr").id.replace("security-scheme-", "").replace("_", " ")} token`;
    });
    all("input, select, textarea", (field) => {
      if (field.labels?.length || field.hasAttribute("aria-label")) return;
      const name = field.dataset.pname || field.getAttribute("placeholder") || field.className.split(" ")[0];
      field.setAttribute("aria-label", name || "Value");
    });
    all("pre, .multiline, .m-table-wrap", (box) => give(box, "tabindex", "0"));
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    [role="button"] { min-height: 24px; min-width: 24px; text-align: center; }
    :focus-visible { outline: 2px solid var(--primary-color); outline-offset: -2px; }
    @media (prefers-reduced-motion: reduce) {
      *, *::before, *::after { animation: none !important; transition: none !important; }
    }
  `);
  // Elements of the library have shadow roots of their own, one within the other.
  const watched = new Map();
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      visit(docs.shadowRoot);
    });
  };
  const visit = (shadow) => {
    if (!watched.has(shadow)) {
      const observer = new MutationObserver(later);
      observer.observe(shadow, { childList: true, subtree: true });
      watched.set(shadow, observer);
      shadow.adoptedStyleSheets.push(sheet);
    }
    mend(shadow);
    shadow.querySelectorAll("*").forEach((element) => element.shadowRoot && visit(element.shadowRoot));
  };
  customElements.whenDefined("rapi-doc").then(() => {
    docs.loadSpec(spec);
    later();
  });
})();
