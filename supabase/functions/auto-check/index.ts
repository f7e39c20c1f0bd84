// Checks whether two candidates are valid JSON and SQL. Tavern calls it when a rating task is added or first shown.
//
//   POST { "task_type": "text_to_sql", "candidate_a": ..., "candidate_b": ... }  returns both checks
//   POST { "task_id": "..." }                                                    also saves them with the task
//
// With a task_id the candidates are read from the database and the answer is saved there, with the service key. So
// callers can request a check, but cannot influence its result.

import { check } from "./checks.ts";
import { Refused } from "./refused.ts";
import { type Pair, read } from "./request.ts";
import { type Answer, find, pairOf, save, saveFailure } from "./tasks.ts";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, x-client-info, apikey, content-type",
  "access-control-allow-methods": "POST, OPTIONS",
};

async function checked({ taskType, candidateA, candidateB }: Pair): Promise<Answer> {
  return {
    task_type: taskType,
    candidate_a: await check(taskType, candidateA),
    candidate_b: await check(taskType, candidateB),
  };
}

async function answer(request: Request): Promise<Answer> {
  if (request.method !== "POST") throw new Refused(405, "Use POST.");
  const input = await read(request);
  if ("taskId" in input) return await checkTask(input.taskId, request.headers.get("authorization"));
  return await checked(input);
}

async function checkTask(taskId: string, authorization: string | null): Promise<Answer> {
  const task = await find(taskId, authorization);
  if (task.auto_check !== null) return task.auto_check;
  try {
    const result = await checked(await pairOf(task));
    await save(task, result);
    return result;
  } catch (error) {
    await saveFailure(task);
    throw error;
  }
}

function refusal(error: unknown): Response {
  if (error instanceof Refused) {
    const body = error.field === undefined ? {} : { field: error.field };
    return json(
      { error: error.message, ...body },
      error.status,
      error.status === 405 ? { allow: "POST, OPTIONS" } : {},
    );
  }
  if (error instanceof RangeError) {
    return json({ error: "A candidate is nested too deeply to be checked." }, 422);
  }
  // Only the log gets the reason, because it may quote what people wrote.
  console.error("auto-check failed:", error instanceof Error ? `${error.name}: ${error.message}` : error);
  return json({ error: "The check failed. Rating goes on without it." }, 500);
}

function json(body: unknown, status: number, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { ...CORS, ...headers } });
}

Deno.serve(async (request) => {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: CORS });
  try {
    return json(await answer(request), 200);
  } catch (error) {
    return refusal(error);
  }
});
