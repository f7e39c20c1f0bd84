// Checks whether a candidate is valid JSON and valid SQL.
//
// Postgres' own parser reads the SQL (libpg-query, compiled to WebAssembly). It checks the grammar and not the tables,
// so a query of a table that does not exist is valid.

import { loadModule, parse } from "libpg-query";

export type Kind = "json" | "sql";

export interface Check {
  /** Whether the value, the text, or every block marked as JSON is valid. */
  json_valid: boolean;
  json_error: string | null;
  /** Whether the text, every block marked as SQL, or every query in the JSON is valid. */
  sql_valid: boolean;
  sql_error: string | null;
  /** Which of the two the candidate should be, judged by the type of the task and by its form. */
  applies: Kind[];
}

/** Deeper nesting is not parsed, because it could overflow the parser's stack. */
const MOST_NESTED = 2_000;
const TOO_DEEP = "It is nested too deeply to be checked.";
const MOST_QUERIES = 50;

const FENCE = /^\s*```\s*([\w+-]*)/;
const SQL_BEGINS =
  /^(?:select|insert|update|delete|with|create|alter|drop|merge|values|explain|grant|revoke|truncate)\b/i;
const SQL_KEYS = new Set(["sql", "query", "statement"]);

export async function check(taskType: string, given: unknown): Promise<Check> {
  const candidate = unwrapped(given);
  const json = jsonOf(candidate);
  const queries = queriesOf(candidate, json);
  const sql = queries.length === 0 ? { error: "There is no SQL in it." } : await firstError(queries);
  return {
    json_valid: json.error === null,
    json_error: json.error,
    sql_valid: sql.error === null,
    sql_error: sql.error,
    applies: kindsOf(taskType, candidate, queries),
  };
}

/** Return the candidate; a text may be wrapped as {"text": ...} or {"content": ...}. */
function unwrapped(given: unknown): unknown {
  if (given === null || typeof given !== "object" || Array.isArray(given)) return given;
  const [entry, ...others] = Object.entries(given);
  const wrapped = others.length === 0 && entry !== undefined && ["text", "content"].includes(entry[0]);
  return wrapped && typeof entry[1] === "string" ? entry[1] : given;
}

// ---------------------------------------------------------------- JSON

interface Json {
  values: unknown[];
  error: string | null;
}

function jsonOf(candidate: unknown): Json {
  const texts = typeof candidate === "string" ? blocks(candidate, "json") ?? [candidate] : [];
  const read: Json = { values: typeof candidate === "string" ? [] : [candidate], error: null };
  texts.forEach((text, index) => {
    const { value, error } = parsed(text);
    if (error === null) read.values.push(value);
    else read.error ??= texts.length > 1 ? `Block ${index + 1}: ${error}` : error;
  });
  for (const value of read.values) read.error ??= argumentsError(value);
  return read;
}

function parsed(text: string): { value: unknown; error: string | null } {
  if (text.trim() === "") return { value: null, error: "It is empty." };
  try {
    return { value: JSON.parse(text), error: null };
  } catch (error) {
    return { value: null, error: error instanceof Error ? shortened(error.message) : "It cannot be read." };
  }
}

/** Check the arguments of tool calls: a text that has to be JSON too. */
function argumentsError(value: unknown): string | null {
  for (const [key, text] of strings(value)) {
    if (key !== "arguments") continue;
    const { error } = parsed(text);
    if (error !== null) return `Arguments: ${error}`;
  }
  return null;
}

// ---------------------------------------------------------------- SQL

function queriesOf(candidate: unknown, json: Json): string[] {
  const inside = json.values.flatMap(queriesInside);
  if (inside.length > 0) return inside.slice(0, MOST_QUERIES);
  if (typeof candidate !== "string") return [];
  const marked = blocks(candidate, "sql");
  if (marked !== null) return marked.slice(0, MOST_QUERIES);
  // JSON without a query in it is not SQL.
  return json.error === null ? [] : [candidate];
}

function queriesInside(value: unknown): string[] {
  const found: string[] = [];
  for (const [key, text] of strings(value)) {
    if (SQL_KEYS.has(key.toLowerCase())) found.push(text);
    else if (key === "arguments") {
      const { value: inner, error } = parsed(text);
      if (error === null) found.push(...queriesInside(inner));
    }
  }
  return found;
}

async function firstError(queries: string[]): Promise<{ error: string | null }> {
  await loadModule();
  for (const [index, query] of queries.entries()) {
    const error = await sqlError(query);
    if (error !== null) return { error: queries.length > 1 ? `Query ${index + 1}: ${error}` : error };
  }
  return { error: null };
}

async function sqlError(query: string): Promise<string | null> {
  if (query.trim() === "") return "It is empty.";
  if (query.includes("\0")) return "It has a character that no SQL may have (U+0000).";
  if (nesting(query) > MOST_NESTED) return TOO_DEEP;
  try {
    const tree = await parse(query);
    return tree.stmts?.length ? null : "There is no statement in it, only comments.";
  } catch (error) {
    if (error instanceof RangeError) return TOO_DEEP;
    if (!(error instanceof Error) || error.name !== "SqlError") throw error;
    const at = (error as { sqlDetails?: { cursorPosition?: number } }).sqlDetails?.cursorPosition;
    return shortened(at === undefined || at < 0 ? error.message : `${error.message} (${place(query, at)})`);
  }
}

function nesting(query: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of query) {
    if (character === "(" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === ")" || character === "]") depth--;
  }
  return deepest;
}

function place(query: string, at: number): string {
  const before = query.slice(0, at).split("\n");
  return `line ${before.length}, column ${before[before.length - 1].length + 1}`;
}

// ---------------------------------------------------------------- kinds

function kindsOf(taskType: string, candidate: unknown, queries: string[]): Kind[] {
  const type = taskType.toLowerCase();
  const text = typeof candidate === "string" ? candidate : null;
  const kinds: Kind[] = [];
  if (text === null || /json|tool|function|structured/.test(type) || looksLikeJson(text)) kinds.push("json");
  if (/sql/.test(type) || looksLikeSql(text, queries)) kinds.push("sql");
  return kinds;
}

function looksLikeJson(text: string): boolean {
  return /^\s*[{[]/.test(text) || blocks(text, "json") !== null;
}

function looksLikeSql(text: string | null, queries: string[]): boolean {
  if (queries.length === 0) return false;
  // Queries in JSON or in a marked block count. The whole text counts only if it starts like SQL.
  return text === null || queries[0] !== text || SQL_BEGINS.test(withoutComments(text));
}

/** Return the fenced blocks of a text that are marked with this language; null if there are none. */
function blocks(text: string, language: Kind): string[] | null {
  const names = language === "sql" ? ["sql", "postgres", "postgresql", "pgsql"] : ["json"];
  const found: string[] = [];
  let open: { wanted: boolean; lines: string[] } | null = null;
  for (const line of text.split("\n")) {
    const fence = FENCE.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === null) open = { wanted: names.includes(fence[1].toLowerCase()), lines: [] };
    else {
      if (open.wanted) found.push(open.lines.join("\n"));
      open = null;
    }
  }
  if (open?.wanted) found.push(open.lines.join("\n"));
  return found.length === 0 ? null : found;
}

/** Return SQL without the comments at its beginning. */
function withoutComments(text: string): string {
  let rest = text.trimStart();
  for (;;) {
    const end = rest.startsWith("--")
      ? rest.indexOf("\n") + 1
      : rest.startsWith("/*")
      ? rest.indexOf("*/") + 2
      : 0;
    if (end < 2) return rest;
    rest = rest.slice(end).trimStart();
  }
}

/** Yield every text in a JSON value with its key. Without recursion, because JSON may be nested very deeply. */
function* strings(value: unknown): Generator<[string, string]> {
  const waiting: [string, unknown][] = [["", value]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [key, item] = next;
    if (typeof item === "string") yield [key, item];
    else if (Array.isArray(item)) { for (let i = item.length - 1; i >= 0; i--) waiting.push([key, item[i]]); }
    else if (item !== null && typeof item === "object") waiting.push(...Object.entries(item).reverse());
  }
}

function shortened(message: string): string {
  return message.length <= 300 ? message : `${message.slice(0, 299)}…`;
}
