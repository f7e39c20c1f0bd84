// The search in Streamlit's select boxes, by any spelling: `jose` finds José, and so does `JOSÉ`. Only the names themselves
// are shown. It stands in place of Streamlit's own script (an import map in the page says so), and uses that.
//
// ORIGINAL, FILTER and PLAIN are filled in by search.py: the address of the script, the name of its filter, and what people
// type in place of single characters, nothing for accents.
import { FILTER as filter } from "ORIGINAL";
export * from "ORIGINAL";

const plain = new Map(Object.entries(PLAIN));
const folded = new Map();
const MOST = 20000;

const fold = (text) => {
  const known = folded.get(text);
  if (known !== undefined) return known;
  const letters = [...text.normalize("NFKD")].map((letter) => plain.get(letter) ?? letter);
  const found = letters.join("").normalize("NFC").toLowerCase();
  if (folded.size >= MOST) folded.clear();
  folded.set(text, found);
  return found;
};

const search = (options, query, mode) =>
  filter(
    options.map((option) => ({ ...option, label: fold(option.label), option })),
    fold(query),
    mode,
  ).map(({ option }) => option);

export { search as FILTER };
