/* The call: people, controls, chat. All of it is the official SDK's, whose page has no privilege here. */

import { Chat } from './chat.js';
import { Guests } from './guests.js';
import { Tiles } from './tiles.js';

const ENDS = {
  forceDisconnected: 'You were removed from the call, or it has ended.',
  networkDisconnected: 'The connection was lost. You can join again.',
};

export class Call {
  constructor({ apiKey, sessionId, token }, { find, say, complain, onEnd }) {
    Object.assign(this, { find, say, complain, onEnd, token, sessionId });
    this.session = window.OT.initSession(apiKey, sessionId);
    this.tiles = new Tiles(find, this.session, complain);
    this.chat = new Chat(find, this.session, complain);
    this.bound = new AbortController();
  }

  /* Whether the person is in the call: they may be removed while their camera starts. */
  async join({ name, videoSource, audioSource }) {
    this.name = name;
    this.session.on(this.handlers);
    try {
      await asked((done) => this.session.connect(this.token, done));
    } catch (error) {
      this.unbind();
      throw error;
    }
    this.chat.name = name;
    this.tiles.mayModerate = this.session.capabilities.forceDisconnect === 1;
    if (this.tiles.mayModerate) {
      this.guests = new Guests(this.find, this.token, this.complain);
      this.tiles.onRemove = (connection) => this.guests.endTicket(connection);
    }
    this.control();
    if (this.session.capabilities.publish === 1 && (videoSource || audioSource)) {
      try {
        this.publisher = await this.publish({ name, videoSource, audioSource, publishCaptions: true });
      } catch (error) {
        if (!this.isOver) this.complain(`You can watch, but nobody sees or hears you: ${error.message}`);
      }
    }
    if (!this.isOver) this.refresh();
    return !this.isOver;
  }

  /* The SDK gives the same session object to the next call of the room: see `unbind`. */
  handlers = {
    streamCreated: ({ stream }) => this.subscribe(stream),
    streamDestroyed: ({ stream }) => this.tiles.remove(stream.streamId),
    streamPropertyChanged: ({ stream }) => this.tiles.update(stream),
    archiveStarted: ({ id }) => this.recorded(id),
    archiveStopped: () => this.recorded(null),
    'signal:meetingEnds': ({ from, data }) => {
      if (!from) this.warn(JSON.parse(data).secondsLeft); // the server's, and no participant's
    },
    sessionReconnecting: () => this.say('The connection was lost. Reconnecting…'),
    sessionReconnected: () => this.say('Connected again.'),
    sessionDisconnected: ({ reason }) => this.end(ENDS[reason] || 'You have left the call.'),
  };

  unbind() {
    this.session.off(this.handlers);
    this.bound.abort();
    this.guests?.close();
    this.chat.close();
  }

  async publish({ name, ...options }) {
    const publisher = window.OT.initPublisher(null, { name, insertDefaultUI: false, ...options });
    publisher.on('videoElementCreated', ({ element }) => {
      this.tiles.add(`mine-${publisher.id}`, { name: `${name} (you)`, element, isMine: true,
        isScreen: options.videoSource === 'screen' });
    });
    publisher.on('muteForced', () => {
      this.say('A moderator has muted you.');
      this.refresh();
    });
    publisher.on('streamDestroyed', () => {
      this.tiles.remove(`mine-${publisher.id}`);
      if (publisher === this.screen) this.screen = null;
      if (publisher === this.publisher) this.publisher = null;
      this.refresh();
    });
    try {
      await asked((done) => this.session.publish(publisher, done));
      if (this.isOver) throw new Error('The call is over.');
    } catch (error) {
      publisher.destroy();
      this.tiles.remove(`mine-${publisher.id}`);
      throw error;
    }
    return publisher;
  }

  subscribe(stream) {
    const subscriber = this.session.subscribe(stream, null, { insertDefaultUI: false }, (error) => {
      if (error) this.say(`${stream.name || 'A person'} cannot be seen: ${error.message}`);
      else subscriber.subscribeToCaptions?.(true)?.catch?.(() => {});
    });
    subscriber.on('videoElementCreated', ({ element }) => {
      this.tiles.add(stream.streamId, { name: stream.name || 'Guest', element, stream,
        isScreen: stream.videoType === 'screen' });
    });
    subscriber.on('audioLevelUpdated', ({ audioLevel }) => this.tiles.heard(stream.streamId, audioLevel));
    subscriber.on('captionReceived', ({ caption }) => {
      this.find('captions').textContent = `${stream.name || 'Guest'}: ${caption}`;
    });
  }

  control() {
    const on = (id, act) => this.find(id)?.addEventListener('click', async () => {
      try {
        await act();
      } catch (error) {
        this.complain(error.message);
      }
      this.refresh();
    }, { signal: this.bound.signal });
    on('mute', () => this.publisher?.publishAudio(!this.publisher.stream.hasAudio));
    on('camera-off', () => this.publisher?.publishVideo(!this.publisher.stream.hasVideo));
    on('share', () => this.share());
    on('show-chat', () => this.chat.toggle());
    on('record', () => this.record());
    on('leave', () => this.session.disconnect());
  }

  async share() {
    if (this.screen) {
      this.session.unpublish(this.screen);
      return;
    }
    try {
      this.screen = await this.publish({ name: `${this.name}’s screen`, videoSource: 'screen', publishAudio: false });
    } catch (error) {
      if (error.name !== 'OT_USER_MEDIA_ACCESS_DENIED') throw error; // they chose no screen
    }
  }

  async record() {
    const path = this.archive ? `/archive/${this.archive}/stop` : '/archive/start';
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: this.archive ? '{}' : JSON.stringify({ sessionId: this.sessionId }),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(body.detail);
  }

  recorded(archive) {
    this.archive = archive;
    this.find('recording').textContent = archive ? 'This call is being recorded.' : '';
    this.refresh();
  }

  warn(seconds) {
    const minutes = Math.round(seconds / 60);
    this.say(`This meeting ends in ${minutes === 1 ? '1 minute' : `${minutes} minutes`}.`);
  }

  /* Buttons show what is so, also where somebody else has changed it. */
  refresh() {
    const stream = this.publisher?.stream;
    const pressed = {
      mute: Boolean(stream && !stream.hasAudio),
      'camera-off': Boolean(stream && !stream.hasVideo),
      share: Boolean(this.screen),
      record: Boolean(this.archive),
    };
    for (const [id, is] of Object.entries(pressed)) {
      this.find(id)?.setAttribute('aria-pressed', String(is));
    }
    this.find('mute').disabled = this.find('camera-off').disabled = !stream;
    // Phones share no screen.
    this.find('share').disabled = this.session.capabilities?.publish !== 1 || !navigator.mediaDevices?.getDisplayMedia;
    if (stream) this.tiles.update({ streamId: `mine-${this.publisher.id}`, hasAudio: stream.hasAudio, hasVideo: stream.hasVideo });
  }

  end(reason) {
    this.isOver = true;
    this.unbind();
    this.publisher?.destroy();
    this.screen?.destroy();
    this.tiles.clear();
    this.find('recording').textContent = '';
    this.find('captions').textContent = '';
    this.onEnd(reason);
  }
}

/* A call of the SDK, whose last argument is called with an error or nothing. */
function asked(call) {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}
