// supabase-js, unchanged, against the embedded Supabase. Run by test_supabase_js.py.
import assert from "node:assert/strict";
import { createClient, type RealtimeChannel, type SupabaseClient } from "npm:@supabase/supabase-js@2.112.2";

const url = Deno.env.get("SUPABASE_URL")!;
const anonKey = Deno.env.get("SUPABASE_KEY")!;
const serviceKey = Deno.env.get("SUPABASE_SERVICE_KEY")!;
const auth = { persistSession: false, autoRefreshToken: false };
const unique = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}`;

function anonymous(): SupabaseClient {
  return createClient(url, anonKey, { auth });
}

async function member(): Promise<{ client: SupabaseClient; id: string; email: string }> {
  const client = anonymous();
  const email = `${unique("member")}@example.com`;
  const { data, error } = await client.auth.signUp({ email, password: "a long password", options: { data: { nick: "m" } } });
  assert.equal(error, null);
  assert.ok(data.session);
  await client.realtime.setAuth(data.session.access_token);
  return { client, id: data.user!.id, email };
}

function subscribed(channel: RealtimeChannel): Promise<void> {
  return new Promise((resolve, reject) =>
    channel.subscribe((status, error) => {
      if (status === "SUBSCRIBED") resolve();
      if (status === "CHANNEL_ERROR" || status === "TIMED_OUT") reject(error ?? new Error(status));
    })
  );
}

// Subscribes to changes and resolves once the database confirms the subscription.
function listening(channel: RealtimeChannel): Promise<void> {
  const ready = new Promise<void>((resolve) =>
    channel.on("system", {}, (message: { extension: string; status: string }) => {
      if (message.extension === "postgres_changes" && message.status === "ok") resolve();
    })
  );
  return Promise.all([subscribed(channel), ready]).then(() => undefined);
}

async function collected<T>(items: T[], count: number): Promise<T[]> {
  const deadline = Date.now() + 20_000;
  while (items.length < count) {
    if (Date.now() > deadline) throw new Error(`only ${items.length} of ${count}: ${JSON.stringify(items)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return items;
}

// The client's timers run for a while after a test.
function check(name: string, body: () => Promise<void>) {
  Deno.test({ name, fn: body, sanitizeOps: false, sanitizeResources: false });
}

async function closed(...clients: SupabaseClient[]) {
  for (const client of clients) {
    await client.removeAllChannels();
    client.realtime.disconnect();
  }
}

check("rest: rows are inserted, filtered, ordered, counted, changed and deleted", async () => {
  const { client } = await member();
  const name = unique("room");
  const made = await client.from("rooms").insert([{ name, tags: ["a", "b"], details: { seats: 4 } }]).select().single();
  assert.equal(made.error, null);
  assert.equal(made.status, 201);
  const found = await client.from("rooms").select("id,name,seats:details->seats", { count: "exact" })
    .contains("tags", ["a"]).eq("details->>seats", "4").in("name", [name, 'with,"comma']).order("id").limit(5);
  assert.deepEqual([found.data, found.count], [[{ id: made.data.id, name, seats: 4 }], 1]);
  const { data: notes } = await client.from("notes")
    .insert([{ room_id: made.data.id, body: "one" }, { room_id: made.data.id, body: "two", secret: true }], { defaultToNull: false }).select();
  assert.equal(notes!.length, 2);
  const embedded = await client.from("rooms").select("name, notes(body)").eq("id", made.data.id)
    .order("body", { referencedTable: "notes", ascending: false }).single();
  assert.deepEqual(embedded.data, { name, notes: [{ body: "two" }, { body: "one" }] });
  const seen = await anonymous().from("notes").select("body, rooms!inner(name)").eq("rooms.name", name);
  assert.deepEqual(seen.data, [{ body: "one", rooms: { name } }]);
  const changed = await client.from("notes").update({ body: "three" }).eq("body", "one").eq("room_id", made.data.id).select("body");
  assert.deepEqual(changed.data, [{ body: "three" }]);
  const gone = await client.from("notes").delete({ count: "exact" }).eq("room_id", made.data.id);
  assert.deepEqual([gone.status, gone.count], [204, 2]);
});

check("rest: upsert, single, maybeSingle, head, csv, range and or", async () => {
  const { client } = await member();
  const name = unique("room");
  const first = await client.from("rooms").upsert({ name, tags: ["x"] }, { onConflict: "name" }).select().single();
  const second = await client.from("rooms").upsert({ name, tags: ["y"] }, { onConflict: "name" }).select().single();
  assert.deepEqual([second.data.id, second.data.tags, second.status], [first.data.id, ["y"], 200]);
  const none = await client.from("rooms").select().eq("name", "nobody").maybeSingle();
  assert.deepEqual([none.data, none.error], [null, null]);
  const refused = await client.from("rooms").select().eq("name", "nobody").single();
  assert.deepEqual([refused.error?.code, refused.status], ["PGRST116", 406]);
  const counted = await client.from("rooms").select("*", { count: "exact", head: true }).eq("name", name);
  assert.equal(counted.count, 1);
  const csv = await client.from("rooms").select("name,tags").eq("name", name).csv();
  assert.equal(csv.data, `name,tags\n${name},{y}`);
  const ranged = await client.from("rooms").select("name").or(`name.eq.${name},and(id.gt.0,id.lt.0)`).range(0, 0);
  assert.deepEqual(ranged.data, [{ name }]);
});

check("rest: functions, and errors in PostgREST's words", async () => {
  const { client } = await member();
  assert.equal((await client.rpc("add", { a: 2 })).data, 3);
  assert.equal((await client.rpc("add", { a: 2, b: 5 }, { get: true })).data, 7);
  const name = unique("room");
  await client.from("rooms").insert({ name, tags: [name] });
  assert.deepEqual((await client.rpc("rooms_tagged", { tag: name }).select("name")).data, [{ name }]);
  assert.equal((await client.rpc("nothing")).error?.code, "PGRST202");
  assert.equal((await client.from("nothing").select()).error?.code, "PGRST205");
  assert.equal((await client.from("rooms").select("nothing")).error?.code, "42703");
  assert.equal((await client.from("rooms").insert({ name })).error?.code, "23505");
  const denied = await anonymous().from("rooms").insert({ name: unique("room") });
  assert.deepEqual([denied.error?.code, denied.status], ["42501", 401]);
});

check("auth: sign up, in, refresh, user, update and out", async () => {
  const { client, id, email } = await member();
  const user = await client.auth.getUser();
  assert.equal(user.data.user?.id, id);
  assert.equal(user.data.user?.user_metadata.nick, "m");
  const before = (await client.auth.getSession()).data.session!;
  const after = (await client.auth.refreshSession()).data.session!;
  assert.notEqual(after.refresh_token, before.refresh_token);
  const updated = await client.auth.updateUser({ data: { nick: "n" } });
  assert.equal(updated.data.user?.user_metadata.nick, "n");
  const other = anonymous();
  const wrong = await other.auth.signInWithPassword({ email, password: "not this" });
  assert.deepEqual([wrong.error?.code, wrong.error?.status], ["invalid_credentials", 400]);
  const right = await other.auth.signInWithPassword({ email, password: "a long password" });
  assert.equal(right.data.user?.id, id);
  const taken = await anonymous().auth.signUp({ email, password: "a long password" });
  assert.equal(taken.error?.code, "user_already_exists");
  const weak = await anonymous().auth.signUp({ email: `${unique("w")}@example.com`, password: "abc" });
  assert.equal(weak.error?.code, "weak_password");
  assert.equal((await client.auth.signOut()).error, null);
  assert.ok((await other.auth.refreshSession()).error);
});

check("auth: anonymous people become permanent, and admins administer", async () => {
  const client = anonymous();
  const guest = await client.auth.signInAnonymously();
  assert.equal(guest.data.user?.is_anonymous, true);
  const admin = createClient(url, serviceKey, { auth }).auth.admin;
  const made = await admin.createUser({ email: `${unique("made")}@example.com`, password: "a long password", email_confirm: true });
  assert.equal(made.error, null);
  const id = made.data.user!.id;
  assert.equal((await admin.getUserById(id)).data.user?.id, id);
  const changed = await admin.updateUserById(id, { app_metadata: { tenant: "t" } });
  assert.equal(changed.data.user?.app_metadata.tenant, "t");
  assert.ok((await admin.listUsers({ perPage: 5 })).data.users.length > 0);
  assert.equal((await admin.deleteUser(id)).error, null);
  assert.ok([401, 403].includes((await anonymous().auth.admin.listUsers()).error?.status ?? 0));
});

check("realtime: changes reach those who may see them, filtered", async () => {
  const owner = await member();
  const stranger = await member();
  const { data: room } = await owner.client.from("rooms").insert({ name: unique("room") }).select().single();
  const seen: { owner: string[]; stranger: string[]; filtered: string[] } = { owner: [], stranger: [], filtered: [] };
  const note = (list: string[]) => (change: { eventType: string; new: Record<string, unknown> }) => {
    list.push(`${change.eventType} ${change.new.body ?? ""}`.trim());
  };
  const filter = `room_id=eq.${room.id}`;
  const bind = (who: SupabaseClient, list: string[], extra: Record<string, string> = {}) =>
    who.channel(unique("changes")).on("postgres_changes", { event: "*", schema: "public", table: "notes", ...extra } as never, note(list) as never);
  await Promise.all([
    listening(bind(owner.client, seen.owner, { filter })),
    listening(bind(stranger.client, seen.stranger, { filter })),
    listening(bind(stranger.client, seen.filtered, { filter: "body=eq.never" })),
  ]);
  const one = await owner.client.from("notes").insert({ room_id: room.id, body: "open" }).select().single();
  await owner.client.from("notes").insert({ room_id: room.id, body: "closed", secret: true });
  await owner.client.from("notes").update({ body: "opened" }).eq("id", one.data.id);
  assert.deepEqual(await collected(seen.owner, 3), ["INSERT open", "INSERT closed", "UPDATE opened"]);
  assert.deepEqual(await collected(seen.stranger, 2), ["INSERT open", "UPDATE opened"]);
  assert.deepEqual(seen.filtered, []);
  await closed(owner.client, stranger.client);
});

check("realtime: broadcast goes to the others, to oneself when asked, and over HTTP", async () => {
  const [a, b] = [anonymous(), anonymous()];
  const topic = unique("room");
  const heard: { a: unknown[]; b: unknown[] } = { a: [], b: [] };
  const left = a.channel(topic, { config: { broadcast: { self: true, ack: true } } });
  const right = b.channel(topic);
  left.on("broadcast", { event: "say" }, (message) => heard.a.push(message.payload));
  right.on("broadcast", { event: "say" }, (message) => heard.b.push(message.payload));
  await Promise.all([subscribed(left), subscribed(right)]);
  assert.equal(await left.send({ type: "broadcast", event: "say", payload: { text: "hello" } }), "ok");
  assert.deepEqual(await collected(heard.a, 1), [{ text: "hello" }]);
  assert.deepEqual(await collected(heard.b, 1), [{ text: "hello" }]);
  const sent = await anonymous().channel(topic).httpSend("say", { text: "posted" });
  assert.equal(sent.success, true);
  assert.deepEqual((await collected(heard.b, 2))[1], { text: "posted" });
  await closed(a, b);
});

check("realtime: presence is shared", async () => {
  const [a, b] = [anonymous(), anonymous()];
  const topic = unique("lobby");
  const left = a.channel(topic, { config: { presence: { key: "a" } } });
  const right = b.channel(topic, { config: { presence: { key: "b" } } });
  const joined: string[] = [];
  const gone: string[] = [];
  left.on("presence", { event: "join" }, ({ key }) => joined.push(key));
  left.on("presence", { event: "leave" }, ({ key }) => gone.push(key));
  right.on("presence", { event: "sync" }, () => undefined);
  await Promise.all([subscribed(left), subscribed(right)]);
  assert.equal(await left.track({ page: "home" }), "ok");
  assert.equal(await right.track({ page: "bar" }), "ok");
  assert.deepEqual((await collected(joined, 2)).toSorted(), ["a", "b"]);
  assert.equal((left.presenceState() as Record<string, { page: string }[]>).b[0].page, "bar");
  await right.untrack();
  assert.deepEqual(await collected(gone, 1), ["b"]);
  await closed(a, b);
});

check("realtime: private channels follow the policies", async () => {
  const [a, b] = [await member(), await member()];
  const topic = unique("members:room");
  const heard: unknown[] = [];
  const left = a.client.channel(topic, { config: { private: true } });
  const right = b.client.channel(topic, { config: { private: true } });
  right.on("broadcast", { event: "say" }, (message) => heard.push(message.payload));
  await Promise.all([subscribed(left), subscribed(right)]);
  await left.send({ type: "broadcast", event: "say", payload: { text: "psst" } });
  assert.deepEqual(await collected(heard, 1), [{ text: "psst" }]);
  const visitor = anonymous();
  await assert.rejects(subscribed(visitor.channel(topic, { config: { private: true } })), /Unauthorized/);
  await closed(a.client, b.client, visitor);
});

check("storage: own files are uploaded, listed, signed, moved and removed, others' are not", async () => {
  const { client, id } = await member();
  const files = client.storage.from("files");
  const path = `${id}/a b.txt`;
  const up = await files.upload(path, new Blob(["hello"], { type: "text/plain" }));
  assert.equal(up.error, null);
  assert.ok((await files.upload(path, new Blob(["again"]))).error);
  assert.equal((await files.upload(path, new Blob(["hello!"]), { upsert: true, contentType: "text/plain" })).error, null);
  const down = await files.download(path);
  assert.equal(await down.data!.text(), "hello!");
  assert.deepEqual((await files.list(id)).data!.map((each) => each.name), ["a b.txt"]);
  const signed = await files.createSignedUrl(path, 60);
  assert.equal(await (await fetch(signed.data!.signedUrl)).text(), "hello!");
  const named = await files.createSignedUrl(path, 60, { download: "ä b.txt" });
  const saved = await fetch(named.data!.signedUrl);
  assert.equal(await saved.text(), "hello!");
  assert.equal(saved.headers.get("content-disposition"), `attachment; filename*=UTF-8''%C3%A4%20b.txt; filename="a b.txt"`);
  const ticket = await files.createSignedUploadUrl(`${id}/e f.txt`);
  assert.equal((await fetch(ticket.data!.signedUrl, { method: "PUT", body: "by address" })).status, 200);
  assert.equal((await files.remove([`${id}/e f.txt`])).data!.length, 1);
  assert.equal((await files.move(path, `${id}/c.txt`)).error, null);
  assert.equal((await files.exists(`${id}/c.txt`)).data, true);
  const stranger = (await member()).client.storage.from("files");
  assert.ok((await stranger.download(`${id}/c.txt`)).error);
  assert.ok((await stranger.upload(`${id}/d.txt`, new Blob(["x"]))).error);
  assert.equal((await files.remove([`${id}/c.txt`])).data!.length, 1);
});

check("functions: a call with the person's token gets its answer", async () => {
  const { client } = await member();
  const { data, error } = await client.functions.invoke("greet", { body: { name: "Bo" } });
  assert.deepEqual([data, error], [{ greeting: "Hello Bo" }, null]);
  assert.ok((await client.functions.invoke("nothing")).error);
});
