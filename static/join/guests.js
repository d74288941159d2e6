/* Guests who wait to be let in, for a moderator in the call. */

const LOOK_EVERY_MS = 4000;

export class Guests {
  constructor(find, token, complain) {
    this.section = find('guests');
    this.list = find('waiting');
    this.address = `/api/v1/rooms/${find('page').dataset.segment}/guests`;
    this.headers = { Authorization: `Bearer ${token}`, Accept: 'application/json', 'Content-Type': 'application/json' };
    this.complain = complain;
    this.look();
  }

  async look() {
    clearTimeout(this.clock);
    try {
      const { items } = await this.ask(this.address);
      this.show(items);
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
    if (!response.ok) throw new Error(told.detail || 'The server cannot be reached.');
    return told;
  }

  /* Those who are listed already keep their place, and the focus on their buttons. */
  show(guests) {
    const tickets = new Set(guests.map(({ ticket }) => ticket));
    for (const item of [...this.list.children]) if (!tickets.has(item.dataset.ticket)) item.remove();
    const listed = new Set([...this.list.children].map((item) => item.dataset.ticket));
    this.list.append(...guests.filter(({ ticket }) => !listed.has(ticket)).map((guest) => this.item(guest)));
    this.section.hidden = guests.length === 0;
  }

  item({ ticket, name }) {
    const item = document.createElement('li');
    item.dataset.ticket = ticket;
    const who = document.createElement('span');
    who.textContent = name;
    item.append(who, this.button('Let in', name, ticket, true), this.button('Turn away', name, ticket, false));
    return item;
  }

  button(text, name, ticket, admitted) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    button.setAttribute('aria-label', `${text}: ${name}`);
    button.addEventListener('click', async () => {
      try {
        await this.ask(`${this.address}/${ticket}`, { method: 'PATCH', body: JSON.stringify({ admitted }) });
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
