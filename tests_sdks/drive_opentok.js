// Makes every call of npm opentok, as it is installed in the folder of this name.
"use strict";
const { promisify } = require("node:util");

const { url, key, secret, privateKey, control, tell, watched, has } = require("./world.js");
const OpenTok = require(`./${process.argv[2]}/node_modules/opentok`);

const [client, tellUncalled] = watched(new OpenTok(key, privateKey ?? secret, { apiUrl: url }), []);

function ask(method, ...options) {
  return new Promise((resolve, reject) => {
    client[method](...options, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

async function main() {
  await tell("session.create, relayed", () =>
    ask("createSession", { mediaMode: "relayed", location: "12.34.56.78", e2ee: true })
  );
  const session = await tell("session.create", () => ask("createSession", { mediaMode: "routed" }));
  const id = session.sessionId;
  const { streamId, connectionId } = await control(`sessions/${id}/streams`);
  const other = await control(`sessions/${id}/streams`);

  await tell("token of a session", () => session.generateToken());
  const options = { role: "moderator", data: "a", initialLayoutClassList: ["focus"] };
  const token = await tell("token", () => client.generateToken(id, options));
  const t1 = await tell("token, T1", () => client.generateToken(id, options, true));
  await tell("jwt", () => client.generateJwt());

  const manual = { name: "a", resolution: "1280x720", streamMode: "manual", layout: { type: "pip" } };
  const archive = await tell("archive.start", () => ask("startArchive", id, manual));
  await tell("archive.add_stream", () =>
    ask("addArchiveStream", archive.id, streamId, { hasAudio: true, hasVideo: false })
  );
  await tell("archive.remove_stream", () => ask("removeArchiveStream", archive.id, streamId));
  await tell("archive.layout", () =>
    ask("setArchiveLayout", archive.id, "bestFit", null, "verticalPresentation")
  );
  await tell("archive.get", async () => has(await ask("getArchive", archive.id), archive.id));
  await tell("archive.list", async () =>
    has(await ask("listArchives", { sessionId: id, count: 5 }), archive.id)
  );
  await tell("archive.stop", () => ask("stopArchive", archive.id));
  await control("clock", { advance: 10 });
  await tell("archive.delete", () => ask("deleteArchive", archive.id));

  const second = await ask("startArchive", id, {});
  const itself = (object, method) => promisify(object[method])();
  await tell("archive.stop, by itself", () => itself(second, "stop"));
  await control("clock", { advance: 10 });
  await tell("archive.delete, by itself", () => itself(second, "delete"));

  const hls = { lowLatency: false, dvr: true };
  const rtmp = [{ id: "a", serverUrl: "rtmp://example.com/live", streamName: "a" }];
  const live = { outputs: { hls, rtmp }, streamMode: "manual", maxDuration: 60, resolution: "640x480" };
  const broadcast = await tell("broadcast.start", () => ask("startBroadcast", id, live));
  await tell("broadcast.add_stream", () => ask("addBroadcastStream", broadcast.id, streamId, {}));
  await tell("broadcast.remove_stream", () => ask("removeBroadcastStream", broadcast.id, streamId));
  await tell("broadcast.layout", () =>
    ask("setBroadcastLayout", broadcast.id, "custom", "stream { width: 9px }", null)
  );
  await tell("broadcast.get", async () => has(await ask("getBroadcast", broadcast.id), broadcast.id));
  await tell("broadcast.list", async () =>
    has(await ask("listBroadcasts", { sessionId: id, count: 5 }), broadcast.id)
  );
  await tell("broadcast.stop", () => ask("stopBroadcast", broadcast.id));
  const another = await ask("startBroadcast", id, { outputs: { hls: {} } });
  await tell("broadcast.stop, by itself", () => itself(another, "stop"));

  await tell("stream.list", async () => has(await ask("listStreams", id), streamId));
  await tell("stream.get", async () => has(await ask("getStream", id, streamId), streamId));
  const classes = [{ id: streamId, layoutClassList: ["full"] }];
  await tell("stream.classes", () => ask("setStreamClassLists", id, classes));

  await tell("signal.all", () => ask("signal", id, null, { type: "chat", data: "a" }));
  await tell("signal.one", () => ask("signal", id, connectionId, { type: "chat", data: "a" }));
  await tell("mute.stream", () => ask("forceMuteStream", id, streamId));
  await tell("mute.all", () => ask("forceMuteAll", id, { excludedStreamIds: [streamId] }));
  await tell("mute.end", () => ask("disableForceMute", id));

  if (client.startCaptions) {
    const captions = await tell("captions.start", () => ask("startCaptions", id, token, {}));
    await tell("captions.stop", () => ask("stopCaptions", captions));
  }

  const page = { sessionId: id, token: t1, url: "https://example.com/page" };
  const render = await tell("render.start", () => ask("startRender", page));
  const answers = typeof render === "string" ? JSON.parse(render) : render;
  await tell("render.get", async () => has(await ask("getRender", answers.id), answers.id));
  await tell("render.list", async () => has(await ask("listRenders", { count: 5 }), answers.id));
  await tell("render.stop", () => ask("stopRender", answers.id));

  const phone = { headers: { "X-a": "b" }, auth: { username: "a", password: "b" }, secure: true };
  const call = await tell("call.dial", () =>
    ask("dial", id, token, "sip:user@example.com;transport=tls", { ...phone, from: "a@example.com" })
  );
  await tell("call.digits", () => ask("playDTMF", id, null, "12p#"));
  await tell("call.digits, one", () => ask("playDTMF", id, call.connectionId, "12p#"));

  if (client.websocketConnect) {
    const socket = { streams: [streamId], headers: { a: "b" }, bidirectional: true };
    await tell("audio.connect", () => ask("websocketConnect", id, token, "wss://example.com/a", socket));
  }

  const event = { group: "connection", event: "created", url: "https://example.com/callback" };
  const callback = await tell("callback.register", () => ask("registerCallback", event));
  await tell("callback.list", async () => has(await ask("listCallbacks"), callback.id));
  await tell("callback.remove", () => ask("unregisterCallback", callback.id));
  const unwanted = await ask("registerCallback", { ...event, event: "destroyed" });
  await tell("callback.remove, by itself", () => itself(unwanted, "unregister"));

  await tell("connection.disconnect", () => ask("forceDisconnect", id, other.connectionId));
  tellUncalled();
}

main();
