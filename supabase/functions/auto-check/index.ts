// Is what two candidates say JSON, is it SQL? Asked by Tavern when a rating task is made or first shown.
//
//   POST { "task_type": "text_to_sql", "candidate_a": ..., "candidate_b": ... }  answers with both checks
//   POST { "task_id": "..." }                                                    also keeps them with the task
//
// Of a task that is in the database, the candidates are read there and the answer is written here, with the service
// key: whoever asks can only ask, and nobody can say what the answer is.

import { check } from "./checks.ts";
import { Refused } from "./refused.ts";
import { type Pair, read } from "./request.ts";
import { type Answer, find, giveUp, keep, pairOf } from "./tasks.ts";

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
  const wanted = await read(request);
  if ("taskId" in wanted) return await known(wanted.taskId, request.headers.get("authorization"));
  return await checked(wanted);
}

async function known(taskId: string, authorization: string | null): Promise<Answer> {
  const task = await find(taskId, authorization);
  if (task.auto_check !== null) return task.auto_check;
  try {
    const found = await checked(await pairOf(task));
    await keep(task, found);
    return found;
  } catch (error) {
    await giveUp(task);
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
  // The reason is for the log; it may quote what people wrote.
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
