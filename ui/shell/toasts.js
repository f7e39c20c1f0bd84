// Closes the toasts of the last person when a tab gets another owner: `data.turn` differs for each. Those that begin
// with `data.keep` are about the leaving itself.
const CLOSE = '[aria-label="Close"]';
let turn = null;

export default function ({ data }) {
  if (turn !== null && turn !== data.turn) {
    for (const toast of document.querySelectorAll('[data-testid="stToast"]')) {
      const text = toast.querySelector('[data-testid="stToastText"]')?.textContent.trim() ?? "";
      if (!text.startsWith(data.keep)) toast.querySelector(CLOSE)?.click();
    }
  }
  turn = data.turn;
}
