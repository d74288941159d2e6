// One participant, driven by a test. Each function does one thing with the SDK; its promise is
// kept when the SDK says that the thing is done, and broken with the SDK's error.
const events = [];
const publishers = {};
const subscribers = {};
const connections = {};
let session;

const SMALL = { resolution: "320x240", frameRate: 7, insertMode: "append", showControls: false };
const SESSION_EVENTS = [
  "sessionConnected", "sessionDisconnected", "sessionReconnecting", "sessionReconnected",
  "connectionCreated", "connectionDestroyed", "streamCreated", "streamDestroyed",
  "streamPropertyChanged", "signal", "muteForced", "archiveStarted", "archiveStopped",
  "archiveUpdated",
];

function note(event) {
  events.push({
    type: event.type,
    reason: event.reason,
    connection: event.connection?.connectionId,
    stream: event.stream?.streamId,
    archive: event.id,
    name: event.name,
    property: event.changedProperty,
    value: event.newValue,
    data: event.data,
    from: event.from === undefined ? undefined : event.from?.connectionId ?? null,
    active: event.active,
    captions: event.caption,
    code: event.code,
    message: event.message,
  });
}

function done(start) {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error) {
        reject(new Error(JSON.stringify({ name: error.name, code: error.code, message: error.message })));
      } else {
        resolve(result);
      }
    });
  });
}

function start({ proxy, apiKey, sessionId, options = {}, subscribing = true }) {
  OT.setLogLevel(OT.ERROR);
  if (proxy) OT.setProxyUrl(proxy);
  OT.on("exception", note);
  session = OT.initSession(apiKey, sessionId, options);
  for (const type of SESSION_EVENTS) {
    session.on(type, (event) => {
      if (type !== "signal" || event.type === "signal") note(event);
    });
  }
  session.on("signal", (event) => event.type !== "signal" && note(event));
  session.on("connectionCreated", ({ connection }) => { connections[connection.connectionId] = connection; });
  if (subscribing) session.on("streamCreated", ({ stream }) => { subscribe(stream.streamId); });
}

const connect = (token) => done((callback) => session.connect(token, callback));
const disconnect = () => session.disconnect();

async function publish(options = {}) {
  const publisher = OT.initPublisher("publisher", { ...SMALL, ...options }, (error) => error && note(error));
  for (const type of ["muteForced", "streamDestroyed", "streamCreated", "mediaStopped"]) {
    publisher.on(type, (event) => note({ type: `publisher:${type}`, reason: event.reason, stream: event.stream }));
  }
  publisher.on("streamDestroyed", (event) => options.stay && event.preventDefault());
  await done((callback) => session.publish(publisher, callback));
  const id = publisher.stream.streamId;
  publishers[id] = publisher;
  return id;
}

const unpublish = (id) => session.unpublish(publishers[id]);
const find = (id) => session.streams.get(id);

function subscribe(id, options = {}) {
  return done((callback) => {
    const subscriber = session.subscribe(find(id), "subscribers", { insertMode: "append", ...options }, callback);
    subscribers[id] = subscriber;
    for (const type of ["connected", "disconnected", "destroyed", "videoDisabled", "videoEnabled", "captionReceived"]) {
      subscriber.on(type, (event) => note({ ...event, type: `subscriber:${type}`, stream: find(id) }));
    }
  });
}

const unsubscribe = (id) => session.unsubscribe(subscribers[id]);
const send = (signal) => done((callback) => {
  const to = signal.to && { to: connections[signal.to] };
  session.signal({ ...signal, ...to }, callback);
});

// What has arrived of a stream so far: bytes of sound, frames of video, seconds played.
async function received(id) {
  const subscriber = subscribers[id];
  const stats = await new Promise((resolve, reject) => {
    subscriber.getStats((error, found) => (error ? reject(new Error(error.message)) : resolve(found)));
  });
  const video = subscriber.element.querySelector("video");
  return {
    audio: stats.audio?.bytesReceived ?? 0,
    video: stats.video?.bytesReceived ?? 0,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    seconds: video.currentTime,
    width: video.videoWidth,
    hasAudio: subscriber.stream.hasAudio,
    hasVideo: subscriber.stream.hasVideo,
  };
}

const set_media = (id, { audio, video }) => {
  publishers[id].publishAudio(audio);
  publishers[id].publishVideo(video);
};

async function publish_again(id) {
  await done((callback) => session.publish(publishers[id], callback));
  const again = publishers[id].stream.streamId;
  publishers[again] = publishers[id];
  return again;
}

// How many get this stream.
const peers = (id) => new Promise((resolve) => {
  publishers[id].getStats((error, found) => resolve(error ? 0 : found.length));
});

const senderStats = (id) => new Promise((resolve) => {
  subscribers[id].getStats((error, found) => resolve(found?.senderStats ?? null));
});

const prefer = (id, size) => subscribers[id].setPreferredResolution(size);
const promised = (promise) => promise.catch((error) => done((callback) => callback(error)));
const force_mute = (id) => promised(session.forceMuteStream(find(id)));
const force_mute_all = (ids) => promised(session.forceMuteAll(ids.map(find)));
const disable_force_mute = () => promised(session.disableForceMute());
const force_unpublish = (id) => done((callback) => session.forceUnpublish(find(id), callback));
const force_disconnect = (id) => done((callback) => session.forceDisconnect(connections[id], callback));

// How many of so many signals at once are refused.
async function flood(count) {
  const sent = Array.from({ length: count }, (_, index) => send({ type: "flood", data: String(index) }));
  return (await Promise.allSettled(sent)).filter(({ status }) => status === "rejected").length;
}

const wait_a_moment = () => new Promise((resolve) => { setTimeout(resolve, 1000); });

const subscribe_to_captions = (id, wanted) => promised(subscribers[id].subscribeToCaptions(wanted));
