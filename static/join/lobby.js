/* Before the call: the person's name, and a look at camera and microphone. */

const NAME = 'join-name';

const NAMES = { video: 'camera', audio: 'microphone' };
const REASONS = {
  NotAllowedError: (what) => `Your browser may not use the ${what}. Allow it beside the address, and reload the page.`,
  NotFoundError: (what) => `No ${what} was found.`,
  NotReadableError: (what) => `The ${what} is used by another program. Close that one, and reload the page.`,
};

export class Lobby {
  constructor(find) {
    this.find = find;
    this.ready = Promise.resolve();
    this.find('name').value ||= read(NAME); // it may be typed before this script has come
    for (const kind of ['camera', 'microphone']) {
      this.find(kind).addEventListener('change', () => this.start());
    }
  }

  get name() {
    return this.find('name').value.trim();
  }

  remember() {
    write(NAME, this.name);
  }

  /* What was chosen; false for what there is not, or cannot be used. */
  devices() {
    const used = (kind) => this.stream?.getTracks().some((track) => track.kind === kind);
    return {
      videoSource: (used('video') && this.find('camera').value) || false,
      audioSource: (used('audio') && this.find('microphone').value) || false,
    };
  }

  /* Beside what the server says, which neither hides. */
  complain(text) {
    this.find('device-problem').textContent = text;
  }

  /* `ready` is when camera and microphone are there, or the person has refused them. One after
     another: a camera that came late would stay on. */
  start() {
    const prepare = () => this.prepare();
    this.ready = this.ready.then(prepare, prepare);
  }

  async prepare() {
    this.stop();
    if (!navigator.mediaDevices?.getUserMedia) {
      this.complain('Browsers give camera and microphone to https pages alone. Open this page by https, or on localhost.');
      return;
    }
    this.stream = await this.open();
    this.find('preview').srcObject = this.stream;
    await this.list();
    if (this.stream?.getAudioTracks().length) this.measure();
  }

  /* Both, or the one that there is; null for none. */
  async open() {
    const wanted = { video: chosen(this.find('camera')), audio: chosen(this.find('microphone')) };
    const tries = [wanted, { video: wanted.video }, { audio: wanted.audio }];
    let failure;
    for (const kinds of tries.filter(({ video, audio }) => video || audio)) {
      try {
        const stream = await navigator.mediaDevices.getUserMedia(kinds);
        this.complain(failure ? lack(failure, wanted, kinds) : '');
        return stream;
      } catch (error) {
        failure ??= error;
      }
    }
    this.complain(failure ? lack(failure, wanted, {}) : '');
    return null;
  }

  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    for (const [id, kind] of [['camera', 'videoinput'], ['microphone', 'audioinput']]) {
      const select = this.find(id);
      const before = select.selectedOptions[0]?.value;
      const found = devices.filter((device) => device.kind === kind && device.deviceId);
      select.replaceChildren(
        ...found.map((device, number) => new Option(device.label || `${id} ${number + 1}`, device.deviceId)),
        new Option(`No ${id}`, ''),
      );
      const kept = [...select.options].find((option) => option.value === before);
      if (kept) kept.selected = true;
    }
  }

  measure() {
    this.audio = new AudioContext();
    const analyser = this.audio.createAnalyser();
    this.audio.createMediaStreamSource(this.stream).connect(analyser);
    const samples = new Uint8Array(analyser.fftSize);
    const look = () => {
      if (!this.audio) return;
      analyser.getByteTimeDomainData(samples);
      this.find('level').value = Math.max(...samples.map((sample) => Math.abs(sample - 128))) / 128;
      requestAnimationFrame(look);
    };
    look();
  }

  stop() {
    this.audio?.close();
    this.audio = null;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.find('preview').srcObject = null;
  }
}

/* Why a person goes without what they wanted, and what they can do with what they have got. */
function lack(error, wanted, got) {
  const what = Object.keys(NAMES).filter((kind) => wanted[kind] && !got[kind]).map((kind) => NAMES[kind]).join(' or ');
  const reason = REASONS[error.name]?.(what) || `The ${what} cannot be used. ${error.message}`;
  if (got.audio) return `${reason} You can join: others will hear you, but not see you.`;
  if (got.video) return `${reason} You can join: others will see you, but not hear you.`;
  return `${reason} You can join and watch.`;
}

function chosen(select) {
  if (!select.options.length) return true;
  return select.value ? { deviceId: { exact: select.value } } : false;
}

/* localStorage throws where the browser keeps nothing. */
function read(key) {
  try {
    return localStorage.getItem(key) || '';
  } catch {
    return '';
  }
}

function write(key, text) {
  try {
    localStorage.setItem(key, text);
  } catch {
    // It is asked for again next time.
  }
}
