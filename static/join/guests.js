/* Guests who wait to be let in, for a moderator in the call. */

const LOOK_EVERY_MS = 4000;

export class Guests {
  constructor(find, token, complain) {
    this.section = find('guests');
    this.list = find('waiting');
    this.arrivals = find('arrivals');
    this.title = find('title');
    this.address = `/api/v1/rooms/${find('page').dataset.segment}/guests`;
    this.headers = { Authorization: `Bearer ${token}`, Accept: 'application/json', 'Content-Type': 'application/json' };
    this.complain = complain;
    this.look();
  }

  async look() {
    clearTimeout(this.clock);
    try {
      const { items } = await this.ask(this.address);
      if (!this.isClosed) this.show(items);
      if (this.failed) this.complain('');
      this.failed = false;
    } catch (error) {
      if (!this.failed) this.complain(error.message);
      this.failed = true;
    }
    if (!this.isClosed) this.clock = setTimeout(() => this.look(), LOOK_EVERY_MS);
  }

  async ask(address, options = {}) {
    const response = await fetch(address, { headers: this.headers, cache: 'no-store', ...options });
    const told = await response.json().catch(() => ({}));
    if (response.status === 401) {
      this.isClosed = true;
      throw new Error('To let guests in, leave the call and join again.');
    }
    if (!response.ok) {
      throw Object.assign(new Error(told.detail || 'The server cannot be reached.'), { code: told.code });
    }
    return told;
  }

  decide(id, admitted) {
    return this.ask(`${this.address}/${id}`, { method: 'PATCH', body: JSON.stringify({ admitted }) });
  }

  /* End the ticket of somebody who is about to be removed, if they were a guest: it would let them
     in again. Their id is in the data of their connection, which an app may use for its own. */
  async endTicket({ data }) {
    const [, id] = /^{"guest":"([0-9a-f-]{36})"}$/.exec(data) || [];
    if (!id) return;
    try {
      await this.decide(id, false);
    } catch (error) {
      if (error.code !== 'guest_not_found') this.complain(error.message);
    }
  }

  /* Rows that stay keep their place, and the focus on their buttons. */
  show(guests) {
    const ids = new Set(guests.map(({ id }) => id));
    const rows = [...this.list.children];
    const focused = rows.findIndex((row) => row.contains(document.activeElement));
    for (const row of rows) if (!ids.has(row.dataset.guest)) row.remove();
    const listed = new Set(rows.map((row) => row.dataset.guest));
    const newcomers = guests.filter(({ id }) => !listed.has(id));
    this.list.append(...newcomers.map((guest) => this.row(guest)));
    this.section.hidden = guests.length === 0;
    if (focused >= 0 && !rows[focused].isConnected) this.focusNear(rows, focused);
    this.announce(newcomers, guests);
  }

  /* The row after the one that is gone, or else the one before it, or else the page's heading. */
  focusNear(rows, gone) {
    const near = [...this.list.children].find((row) => rows.indexOf(row) > gone || !rows.includes(row));
    const next = near || this.list.lastElementChild;
    (next?.querySelector('button') || this.title).focus();
  }

  /* In a region that is there before its text changes, and is never hidden. */
  announce(newcomers, guests) {
    const names = newcomers.map(({ name }) => name).join(', ');
    if (names) this.arrivals.textContent = `Waiting to be let in: ${names}`;
    else if (guests.length === 0) this.arrivals.textContent = '';
  }

  row({ id, name }) {
    const row = document.createElement('li');
    row.dataset.guest = id;
    const who = document.createElement('bdi');
    who.textContent = name;
    row.append(who, this.button('Let in', name, id, true), this.button('Turn away', name, id, false));
    return row;
  }

  button(text, name, id, admitted) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    button.setAttribute('aria-label', `${text}: ${name}`);
    button.addEventListener('click', async () => {
      try {
        await this.decide(id, admitted);
      } catch (error) {
        this.complain(error.message);
      }
      this.look();
    });
    return button;
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.clock);
    this.show([]);
  }
}
