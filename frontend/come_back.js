// Loads the page again when its app has not come or is gone, so that nobody is left with an empty page.
//
// A script may not come, because the server fails for a moment. And an error in Streamlit's own scripts, such as one about
// a message that the server sent instead of a page, takes all elements away, with what else would connect again.
(() => {
  const HEALTH = new URL("./_stcore/health", document.baseURI);
  const TRIES = "tavern-reloads";
  const FIRST_PAUSE = 1000;
  const LONGEST_PAUSE = 60000;
  const WELL_AFTER = 30000;
  let planned = false;

  const isUp = () => fetch(HEALTH, { cache: "no-store" }).then((answer) => answer.ok, () => false);

  const comeBack = (pause, tries) => {
    // Not all pages at once.
    setTimeout(async () => {
      if (!(await isUp())) return comeBack(pause, tries);
      sessionStorage.setItem(TRIES, String(tries + 1));
      location.reload();
    }, pause * (0.75 + Math.random() / 2));
  };

  const plan = () => {
    if (planned) return;
    planned = true;
    const tries = Number(sessionStorage.getItem(TRIES));
    comeBack(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** tries), tries);
  };

  const isScript = (element) => element instanceof HTMLScriptElement || (element?.rel ?? "").startsWith("module");
  addEventListener("error", ({ target }) => isScript(target) && plan(), true);

  addEventListener("DOMContentLoaded", () => {
    const root = document.getElementById("root");
    let wasFilled = false;
    new MutationObserver(() => {
      if (root.hasChildNodes()) wasFilled = true;
      else if (wasFilled) plan();
    }).observe(root, { childList: true });
    setTimeout(() => planned || sessionStorage.removeItem(TRIES), WELL_AFTER);
  });
})();
