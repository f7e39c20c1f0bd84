// Tasks in the database. The caller's own token decides whether they may see a task. Its candidates are read, and the
// answer is saved, with the service key.

import type { Check } from "./checks.ts";
import { Refused } from "./refused.ts";
import { candidate, type Pair } from "./request.ts";

export interface Answer {
  task_type: string;
  candidate_a: Check;
  candidate_b: Check;
}

export interface Task {
  id: string;
  task_type: string;
  /** The saved answer. A task never changes, so it is checked once. */
  auto_check: Answer | null;
}

/** Seconds for an answer of the database. */
const TIMEOUT = 10;

export async function find(id: string, authorization: string | null): Promise<Task> {
  const key = secret("SUPABASE_ANON_KEY");
  const columns = "select=id,task_type,auto_check";
  const rows = await query(`rating_tasks?id=eq.${id}&${columns}`, key, authorization ?? `Bearer ${key}`);
  if (rows.length === 0) throw new Refused(404, "There is no such task.");
  return rows[0] as Task;
}

export async function pairOf(task: Task): Promise<Pair> {
  const columns = "select=candidate_a,candidate_b";
  const [contents] = await queryAsService(`rating_task_contents?task_id=eq.${task.id}&${columns}`);
  if (contents === undefined) throw new Refused(404, "There is no such task.");
  const body = contents as Record<string, unknown>;
  return {
    taskType: task.task_type,
    candidateA: candidate(body, "candidate_a"),
    candidateB: candidate(body, "candidate_b"),
  };
}

export async function save(task: Task, answer: Answer): Promise<void> {
  await change(task, { auto_check: answer, auto_check_status: passed(answer) ? "passed" : "failed" });
}

/** Save that there is no answer, so that nobody waits for one. */
export async function saveFailure(task: Task): Promise<void> {
  await change(task, { auto_check_status: "error" });
}

/** Return whether both candidates pass the checks that apply to them. */
function passed(answer: Answer): boolean {
  return [answer.candidate_a, answer.candidate_b].every((check) =>
    check.applies.every((kind) => kind === "json" ? check.json_valid : check.sql_valid)
  );
}

async function change(task: Task, values: Record<string, unknown>): Promise<void> {
  await queryAsService(`rating_tasks?id=eq.${task.id}`, { method: "PATCH", body: JSON.stringify(values) });
}

async function queryAsService(path: string, init: RequestInit = {}): Promise<unknown[]> {
  const key = secret("SUPABASE_SERVICE_ROLE_KEY");
  return await query(path, key, `Bearer ${key}`, init);
}

async function query(
  path: string,
  key: string,
  authorization: string,
  init: RequestInit = {},
): Promise<unknown[]> {
  const answer = await fetch(`${secret("SUPABASE_URL")}/rest/v1/${path}`, {
    ...init,
    headers: {
      apikey: key,
      authorization,
      "content-type": "application/json",
      prefer: init.method === "PATCH" ? "return=representation" : "",
    },
    signal: AbortSignal.timeout(TIMEOUT * 1000),
  });
  const body: unknown = await answer.json();
  if (!answer.ok || !Array.isArray(body)) throw new Error(`The database answered with ${answer.status}.`);
  return body;
}

function secret(name: string): string {
  const value = Deno.env.get(name);
  if (value === undefined) throw new Error(`${name} is not set.`);
  return value;
}
