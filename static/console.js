/* Who is in a room now, on its page in the admin. It asks again while somebody looks. */

'use strict';

const EVERY_MS = 5000;

document.addEventListener('DOMContentLoaded', () => {
  const section = document.getElementById('console');
  if (section) new Console(section).look();
});

class Console {
  constructor(section) {
    this.address = section.dataset.people;
    this.mayModerate = Boolean(section.dataset.mayModerate);
    this.find = (id) => document.getElementById(`console-${id}`);
    this.rows = this.find('people');
    document.addEventListener('visibilitychange', () => this.look());
  }

  async look() {
    clearTimeout(this.clock);
    if (document.hidden) return;
    try {
      const response = await fetch(this.address, { headers: { Accept: 'application/json' } });
      if (!response.ok || response.redirected) throw new Error('You are logged out. Reload the page.');
      this.show(await response.json());
    } catch (error) {
      this.find('status').textContent = error.message;
    }
    this.clock = setTimeout(() => this.look(), EVERY_MS);
  }

  show({ problem, connections, streams, running, guests }) {
    if (problem) {
      this.find('status').textContent = problem;
      return;
    }
    const people = connections.length === 1 ? '1 person is' : `${connections.length || 'No'} people are`;
    this.find('status').textContent = `${people} connected.`;
    this.find('running').replaceChildren(...running.map((what) => element('li', `A ${what} is running.`)));
    const rows = [
      ...guests.map(({ id, name }) => ['guest', id, name, 'waits to be let in', [['Let in', 'admit'], ['Turn away', 'refuse']]]),
      ...streams.map(({ id, name, kind }) => ['stream', id, name, `shows a ${kind}`, [['Mute', 'mute']]]),
      ...connections.map(({ id, since }) => ['connection', id, id.slice(0, 8), `connected since ${time(since)}`, [['Remove', 'remove']]]),
    ];
    this.update(rows);
    this.rows.parentElement.hidden = rows.length === 0;
  }

  /* Rows that stay are left alone, and so is the focus on their buttons. */
  update(rows) {
    const wanted = new Map(rows.map((row) => [`${row[0]}-${row[1]}`, row]));
    for (const row of [...this.rows.children]) {
      if (!wanted.delete(row.dataset.key)) row.remove();
    }
    for (const [key, row] of wanted) this.rows.append(this.row(key, row));
  }

  row(key, [, id, who, what, deeds]) {
    const row = document.createElement('tr');
    row.dataset.key = key;
    const last = document.createElement('td');
    if (this.mayModerate) last.append(...deeds.map(([label, deed]) => this.button(label, deed, id, who)));
    row.append(element('td', who), element('td', what), last);
    return row;
  }

  button(label, deed, id, who) {
    const button = element('button', label);
    button.type = 'button';
    button.setAttribute('aria-label', `${label}: ${who}`);
    button.addEventListener('click', async () => {
      if (deed === 'remove' && !window.confirm('Remove this person from the room? They can come back.')) return;
      button.disabled = true;
      const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
      const response = await fetch(`${this.address}${deed}/${id}/`, { method: 'POST', headers: { 'X-CSRFToken': token } });
      const { problem } = await response.json();
      button.disabled = false;
      await this.look();
      if (problem) this.find('status').textContent = problem;
    });
    return button;
  }
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function time(milliseconds) {
  return milliseconds ? new Date(milliseconds).toLocaleTimeString('en-GB', { timeStyle: 'short' }) : 'a while';
}
