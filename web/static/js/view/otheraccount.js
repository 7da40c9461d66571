// Says that another account has signed in in this browser, so that the page can do nothing until it is loaded again.

import { openDialog } from "./dialog.js";
import { button, element, stylesheet } from "./dom.js";

let shown = ""; // the page keeps asking, and is refused each time

/**
 * @param {string} sentence what the gallery answers
 * @param {string} account of this page
 */
export async function tellOther(sentence, account) {
  if (shown === sentence) return;
  shown = sentence;
  await stylesheet("dialogs");
  const reload = button("Reload", () => location.reload(), { className: "button primary small" });
  openDialog("Another account is signed in", [
    element("p", {}, [sentence]),
    element("p", {}, [`To go on with this page, sign in as ${account} in another tab. Its uploads wait until then.`]),
    element("div", { className: "buttons" }, [reload]),
  ], "Stay on this page");
}
