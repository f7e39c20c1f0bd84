// Loaded into Playwright's driver before its own code (tests/support/browser.py).
const Module = require("node:module");

const compile = Module.prototype._compile;

// Whenever `expect` has to look again, the driver describes the whole page as a tree of roles, for the message of a
// failure. On pages as long as the app's that took a third of the renderer's processor time, and on a slow page most
// of it. Failed tests have screenshots instead.
const describes = "ariaSnapshotForExpectFailure(element, options) {";

// The driver fails at once when two elements match. For a moment after a change of pages Streamlit shows the elements
// of both: the form that goes and the form that comes may each have a field of one name. The driver waits for one
// element as it waits for the first, and says what it found when its time is over.
const fails = /if \(this\.isNonRetriableError\(e\)\)\s+throw e;(?=\s+(continue;|\}\s+await this\.retryWithProgress))/g;
const waits = `
  if (e.message.includes("strict mode violation"))
    progress2.log(e.message);
  else if (this.isNonRetriableError(e))
    throw e;`;

Module.prototype._compile = function (source, ...others) {
  const changed = source.replace(describes, "$& return undefined;").replace(fails, waits);
  return compile.call(this, changed, ...others);
};
