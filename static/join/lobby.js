/* Before the call: the person's name, and a look at camera and microphone. */

const NAME = 'join-name';

const REASONS = {
  NotAllowedError: 'Your browser may not use the camera and microphone. Allow it beside the address, and reload the page.',
  NotFoundError: 'No camera or microphone was found. You can join and watch without them.',
  NotReadableError: 'The camera or microphone is used by another program. Close that one, and reload the page.',
};

export class Lobby {
  constructor(find) {
    this.find = find;
    this.find('name').value = read(NAME);
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

  /* What was chosen; false for what there is not. */
  devices() {
    return {
      videoSource: this.find('camera').value || false,
      audioSource: this.find('microphone').value || false,
    };
  }

  /* Beside what the server says, which neither hides. */
  complain(text) {
    this.find('device-problem').textContent = text;
  }

  /* `ready` is when camera and microphone are there, or the person has refused them. */
  start() {
    this.ready = this.prepare();
    return this.ready;
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

  /* Both, or the one that there is. */
  async open() {
    const wanted = { video: chosen(this.find('camera')), audio: chosen(this.find('microphone')) };
    let failure;
    for (const kinds of [wanted, { video: wanted.video }, { audio: wanted.audio }]) {
      try {
        const stream = await navigator.mediaDevices.getUserMedia(kinds);
        if (kinds === wanted) this.complain('');
        return stream;
      } catch (error) {
        failure ??= error;
      }
    }
    this.complain(REASONS[failure.name] || `Camera and microphone cannot be used: ${failure.message}`);
    return null;
  }

  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    for (const [id, kind] of [['camera', 'videoinput'], ['microphone', 'audioinput']]) {
      const select = this.find(id);
      const before = select.value;
      const found = devices.filter((device) => device.kind === kind && device.deviceId);
      select.replaceChildren(
        ...found.map((device, number) => new Option(device.label || `${id} ${number + 1}`, device.deviceId)),
        new Option(`No ${id}`, ''),
      );
      select.value = found.some((device) => device.deviceId === before) ? before : select.options[0].value;
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
