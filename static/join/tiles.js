/* One tile for each person or screen. */

const LOUD = 0.1;
const QUIET_AFTER_MS = 800;

export class Tiles {
  constructor(find, session, complain) {
    this.list = find('tiles');
    this.title = find('title');
    this.session = session;
    this.complain = complain;
    this.tiles = new Map();
    this.mayModerate = false;
  }

  add(id, { name, element, stream, isMine = false, isScreen = false }) {
    this.remove(id);
    const tile = document.createElement('li');
    tile.classList.toggle('mine', isMine);
    tile.classList.toggle('screen', isScreen);
    const who = document.createElement('div');
    who.className = 'who';
    const label = document.createElement('bdi');
    label.textContent = name;
    const state = document.createElement('span');
    state.className = 'state-of-media';
    who.append(label, state);
    if (stream && this.mayModerate && !isScreen) who.append(...this.actions(stream, name));
    element.setAttribute('aria-label', name);
    tile.append(element, who);
    this.list.append(tile);
    this.tiles.set(id, { tile, state });
    if (stream) this.update(stream);
    this.arrange();
  }

  actions(stream, name) {
    const button = (text, act) => {
      const made = document.createElement('button');
      made.type = 'button';
      made.textContent = text;
      made.setAttribute('aria-label', `${text} ${name}`);
      made.addEventListener('click', act);
      return made;
    };
    return [
      button('Mute', () => this.session.forceMuteStream(stream).catch((error) => this.complain(error.message))),
      button('Remove', async () => {
        if (!window.confirm(`Remove ${name} from the call?`)) return;
        await this.onRemove?.(stream.connection);
        this.session.forceDisconnect(stream.connection, (error) => error && this.complain(error.message));
      }),
    ];
  }

  /* `stream` has an id, and whether it has sound and video. */
  update({ streamId, hasAudio, hasVideo }) {
    const found = this.tiles.get(streamId);
    if (!found) return;
    const isScreen = found.tile.classList.contains('screen'); // which has no sound
    const missing = [hasAudio || isScreen ? '' : 'muted', hasVideo ? '' : 'camera off'].filter(Boolean);
    found.state.textContent = missing.length ? `(${missing.join(', ')})` : '';
    found.tile.classList.toggle('no-video', !hasVideo);
  }

  heard(id, level) {
    const found = this.tiles.get(id);
    if (!found || level < LOUD) return;
    found.tile.classList.add('speaking');
    clearTimeout(found.quiet);
    found.quiet = setTimeout(() => found.tile.classList.remove('speaking'), QUIET_AFTER_MS);
  }

  remove(id) {
    const tile = this.tiles.get(id)?.tile;
    if (tile?.contains(document.activeElement)) this.title.focus();
    tile?.remove();
    this.tiles.delete(id);
    this.arrange();
  }

  clear() {
    this.list.replaceChildren();
    this.tiles.clear();
  }

  arrange() {
    const columns = Math.ceil(Math.sqrt(this.tiles.size || 1));
    this.list.style.setProperty('--columns', columns);
    this.list.style.setProperty('--rows', Math.ceil(this.tiles.size / columns) || 1);
    this.list.style.setProperty('--columns-of-a-phone', this.tiles.size > 3 ? 2 : 1);
  }
}
