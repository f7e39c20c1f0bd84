// Reads and validates a request.

import { Refused } from "./refused.ts";

/** Candidates that come with the request. */
export interface Pair {
  taskType: string;
  candidateA: unknown;
  candidateB: unknown;
}

/** A task in the database: its candidates are read there, and the answer is saved there. */
export interface Named {
  taskId: string;
}

const MOST_BYTES = 256 * 1024;
const MOST_CHARACTERS = 50_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export async function read(request: Request): Promise<Pair | Named> {
  const type = request.headers.get("content-type") ?? "application/json";
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(type)) throw new Refused(415, "Send JSON.");
  return validated(object(await text(request)));
}

function validated(body: Record<string, unknown>): Pair | Named {
  if ("task_id" in body) {
    const taskId = body.task_id;
    if (typeof taskId !== "string" || !UUID.test(taskId)) {
      throw new Refused(422, "task_id has to be the id of a task.", "task_id");
    }
    return { taskId };
  }
  const taskType = body.task_type;
  if (typeof taskType !== "string" || taskType.trim() === "" || taskType.length > 80) {
    throw new Refused(422, "task_type has to be a text of 1 to 80 characters.", "task_type");
  }
  return { taskType, candidateA: candidate(body, "candidate_a"), candidateB: candidate(body, "candidate_b") };
}

/** Return one of the candidates. Their length is limited, because longer ones cost too much to check. */
export function candidate(body: Record<string, unknown>, field: string): unknown {
  const value = body[field];
  if (value === undefined || value === null) throw new Refused(422, `${field} is missing.`, field);
  const length = typeof value === "string" ? value.length : JSON.stringify(value).length;
  if (length > MOST_CHARACTERS) {
    throw new Refused(
      413,
      `${field} has more than ${MOST_CHARACTERS.toLocaleString("en")} characters.`,
      field,
    );
  }
  return value;
}

function object(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(400, "The body is not JSON.");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Refused(422, "The body has to be a JSON object.");
  }
  return value as Record<string, unknown>;
}

/** Return the body as text. It is read in pieces, so that a large one is refused before all of it arrives. */
async function text(request: Request): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let size = 0;
  let read = "";
  try {
    for await (const piece of request.body ?? []) {
      size += piece.byteLength;
      if (size > MOST_BYTES) throw new Refused(413, "The body is larger than 256 kB.");
      read += decoder.decode(piece, { stream: true });
    }
    return read + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new Refused(400, "The body is not UTF-8.");
    throw error;
  }
}
