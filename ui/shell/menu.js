// What Streamlit's menu lacks.
// - A click on a link closes the person's own menu, and on a phone, where the sidebar covers the page, the sidebar too.
//   No reload opens it there again.
// - `data.unread` stands in the title, and as `--tv-unread` in the style sheet, for the button of the closed menu.
// - What stands beside the app (dialogs, popovers) has its color scheme, which a person may have chosen.
// - The links to the current page, whose address is `data.current`, say so to screen readers and to the style sheet. Those
//   to `data.within`, the list that an open event or person is from, are marked as well.
const SIDEBAR = '[data-testid="stSidebar"]';
const COLLAPSE = '[data-testid="stSidebarCollapseButton"] button';
const LINKS = ":is(.st-key-links, .st-key-tabs) a";
const OWN_MENU = '.st-key-own_menu button[aria-expanded="true"]';
const POPOVER = '[data-testid="stPopoverBody"]'; // not inside the sidebar
const KEPT = "stSidebarCollapsed-";
const COUNT = /^\(\d+\) /;
const phone = matchMedia("(max-width: 767.98px)"); // Streamlit's own boundary, below which the menu covers the page
const stops = new WeakMap();

const isOpen = () => document.querySelector(SIDEBAR)?.dataset.collapsed === "false";

const forget = () => {
  for (const key of Object.keys(localStorage)) if (key.startsWith(KEPT)) localStorage.removeItem(key);
};

const close = () => {
  if (phone.matches && isOpen()) document.querySelector(COLLAPSE)?.click();
};

// Captured, because Streamlit stops clicks in its popovers, and answered after Streamlit has followed the link.
const clicked = (event) => {
  if (!event.target.closest(`${SIDEBAR} :is(a, [data-quick-search]), ${POPOVER} :is(a, button)`)) return;
  const follows = event.target.closest(`${POPOVER} a`);
  setTimeout(() => {
    if (follows) document.querySelector(OWN_MENU)?.click();
    close();
  });
};

const pressed = (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) close();
};

export default function ({ data, parentElement }) {
  stops.get(parentElement)?.();
  const root = document.documentElement;

  const count = () => {
    const title = document.title.replace(COUNT, "");
    const wanted = data.unread > 0 ? `(${data.unread}) ${title}` : title;
    if (document.title !== wanted) document.title = wanted;
  };
  if (data.unread > 0) root.style.setProperty("--tv-unread", `"${data.unread}"`);
  else root.style.removeProperty("--tv-unread");
  count();
  for (const link of document.querySelectorAll(LINKS)) {
    const address = link.getAttribute("href");
    if (address === data.current) link.setAttribute("aria-current", "page");
    else if (address === data.within) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }

  const app = document.querySelector(".stApp");
  const scheme = () => {
    root.style.colorScheme = getComputedStyle(app).colorScheme;
  };
  scheme();
  const schemes = new MutationObserver(scheme);
  schemes.observe(app, { attributes: true, attributeFilter: ["class"] });
  const titles = new MutationObserver(count);
  titles.observe(document.head, { childList: true, subtree: true, characterData: true });
  const menus = new MutationObserver(() => phone.matches && forget());
  const sidebar = document.querySelector(SIDEBAR);
  if (sidebar) menus.observe(sidebar, { attributes: true, attributeFilter: ["data-collapsed"] });
  document.addEventListener("click", clicked, true);
  document.addEventListener("keydown", pressed);

  const stop = () => {
    titles.disconnect();
    schemes.disconnect();
    menus.disconnect();
    document.removeEventListener("click", clicked, true);
    document.removeEventListener("keydown", pressed);
  };
  stops.set(parentElement, stop);
  return stop;
}
