// Makes every call of npm @vonage/video, as @vonage/server-sdk offers it.
"use strict";
const { url, key, privateKey, control, tell, watched, has } = require("./world.js");
const modules = "./vonage-video/node_modules/@vonage";
const { Auth } = require(`${modules}/auth`);
const { Vonage } = require(`${modules}/server-sdk`);

const auth = new Auth({ applicationId: key, privateKey });
const vonage = new Vonage(auth, { videoHost: url });
// How the SDK prepares its own requests.
const [client, tellUncalled] = watched(vonage.video, ["stripBlankValues", "updateBroadcast"]);

async function main() {
  await tell("session.create, relayed", () =>
    client.createSession({ mediaMode: "enabled", location: "12.34.56.78" })
  );
  const { sessionId: id } = await tell("session.create", () => client.createSession());
  const { streamId, connectionId } = await control(`sessions/${id}/streams`);
  const other = await control(`sessions/${id}/streams`);

  const options = { role: "moderator", data: "a", initialLayoutClassList: ["focus"] };
  const token = await tell("token", () => client.generateClientToken(id, options));

  const manual = { name: "a", resolution: "1280x720", streamMode: "manual", layout: { type: "pip" } };
  const archive = await tell("archive.start", () => client.startArchive(id, manual));
  await tell("archive.add_stream", () => client.addArchiveStream(archive.id, streamId, true, false));
  await tell("archive.remove_stream", () => client.removeArchiveStream(archive.id, streamId));
  await tell("archive.layout", () => client.updateArchiveLayout(archive.id, { type: "bestFit" }));
  await tell("archive.get", async () => has(await client.getArchive(archive.id), archive.id));
  await tell("archive.list", async () =>
    has(await client.searchArchives({ sessionId: id, count: 5 }), archive.id)
  );
  await tell("archive.stop", () => client.stopArchive(archive.id));
  await control("clock", { advance: 10 });
  await tell("archive.delete", () => client.deleteArchive(archive.id));

  const hls = { lowLatency: false, dvr: true };
  const rtmp = [{ id: "a", serverUrl: "rtmp://example.com/live", streamName: "a" }];
  const live = { outputs: { hls, rtmp }, streamMode: "manual", maxDuration: 60, resolution: "640x480" };
  const broadcast = await tell("broadcast.start", () => client.startBroadcast(id, live));
  await tell("broadcast.add_stream", () => client.addStreamToBroadcast(broadcast.id, streamId));
  await tell("broadcast.remove_stream", () => client.removeStreamFromBroadcast(broadcast.id, streamId));
  await tell("broadcast.get", async () => has(await client.getBroadcast(broadcast.id), broadcast.id));
  await tell("broadcast.list", async () =>
    has(await client.searchBroadcasts({ sessionId: id, count: 5 }), broadcast.id)
  );
  await tell("broadcast.stop", () => client.stopBroadcast(broadcast.id));

  await tell("stream.list", async () => has(await client.getStreamInfo(id), streamId));
  await tell("stream.get", async () => has(await client.getStreamInfo(id, streamId), streamId));
  const classes = [{ id: streamId, layoutClassList: ["full"] }];
  await tell("stream.classes", () => client.setStreamClassLists(id, classes));

  await tell("signal.all", () => client.sendSignal({ type: "chat", data: "a" }, id));
  await tell("signal.one", () => client.sendSignal({ type: "chat", data: "a" }, id, connectionId));
  await tell("mute.stream", () => client.muteStream(id, streamId));
  await tell("mute.all", () => client.forceMuteAll(id, [streamId]));
  await tell("mute.all, by flag", () => client.muteAllStreams(id, true, [streamId]));
  await tell("mute.end", () => client.disableForceMute(id));

  const speech = { languageCode: "en-US", maxDuration: 300, partialCaptions: "true" };
  const captions = await tell("captions.start", () => client.enableCaptions(id, token, speech));
  const captionsId = captions.captionsId;
  await tell("captions.get", async () => has(await client.getCaptionStatus(captionsId), captionsId));
  await tell("captions.stop", () => client.disableCaptions(captionsId));

  const page = { url: "https://example.com/page", maxDuration: 60, resolution: "1280x720" };
  const render = await tell("render.start", () =>
    client.startExperienceComposerRender(id, token, { ...page, properties: { name: "a" } })
  );
  await tell("render.get", async () =>
    has(await client.getExperienceComposerRender(render.id), render.id)
  );
  await tell("render.list", async () =>
    has(await client.listExperienceComposerRenders({ count: 5 }), render.id)
  );
  await tell("render.stop", () => client.stopExperienceComposerRender(render.id));

  const auth = { username: "a", password: "b" };
  const sip = { uri: "sip:user@example.com;transport=tls", headers: { "X-a": "b" }, auth, secure: true };
  const call = await tell("call.dial", () => client.initiateSIPCall(id, { token, sip }));
  await tell("call.dial, as spelled before", () => client.intiateSIPCall(id, { token, sip }));
  await tell("call.digits", () => client.playDTMF(id, "12p#"));
  await tell("call.digits, one", () => client.playDTMF(id, "12p#", call.connectionId));

  const socket = {
    uri: "wss://example.com/a", streams: [streamId], headers: { a: "b" }, audioRate: 16000,
    bidirectional: true, audioTransport: { transport: "json", encoding: "base64" },
  };
  const connector = await tell("audio.connect", () => client.connectToWebsocket(id, token, socket));
  await tell("audio.disconnect", () => client.disconnectWebsocket(connector.id));

  await tell("connection.disconnect", () => client.disconnectClient(id, other.connectionId));
  tellUncalled();
}

main();
