/* Who is in a room now, on its page in the admin. It asks again while somebody looks. */

'use strict';

const EVERY_MS = 5000;
const ZONE = document.getElementById('console')?.dataset.zone; // as of the rest of the page
const ASKS = {
  remove: 'Remove % from the room? They can come back.',
  'ban-for-now': 'Remove % from the room, and keep them out until this meeting ends?',
  ban: 'Remove % from the room, and keep them out for good?',
};
const NOT_BANNABLE = 'People without data in their token, as far as OpenTok has reported, cannot be banned: remove them, and turn on '
  + 'the waiting room, or make tokens with data.';

document.addEventListener('DOMContentLoaded', () => {
  const section = document.getElementById('console');
  if (section) new Console(section).look();
});

class Console {
  constructor(section) {
    this.address = section.dataset.people;
    this.deeds = new Set(section.dataset.deeds.split(' ').filter(Boolean)); // that this member of staff may do
    this.find = (id) => document.getElementById(`console-${id}`);
    this.rows = this.find('people');
    document.addEventListener('visibilitychange', () => this.look());
    this.find('send')?.addEventListener('click', () => this.sendMessage());
    this.find('text')?.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault(); // it would save the form around it
      this.sendMessage();
    });
  }

  async look() {
    clearTimeout(this.clock);
    if (document.hidden) return;
    try {
      this.show(await ask(this.address, { headers: { Accept: 'application/json' } }));
    } catch (error) {
      this.find('status').textContent = `${error.message} Who is shown may be old.`;
    }
    this.clock = setTimeout(() => this.look(), EVERY_MS);
  }

  show({ problem, people, streams, running, joining, guests, bans, has_more_bans: hasMoreBans }) {
    if (problem) {
      this.find('status').textContent = problem;
      return;
    }
    const persons = people.filter(({ bot }) => !bot);
    const count = persons.length === 1 ? '1 person is' : `${persons.length || 'No'} people are`;
    this.find('status').textContent = `${count} connected.`;
    // Questions before something harmful have the count of when the page was made.
    for (const told of document.querySelectorAll('[data-count]')) told.textContent = `${count} there now.`;
    const isMuted = [...streams, ...people.flatMap((person) => person.streams)].some(({ muted }) => muted);
    const facts = [
      ...running.map((what) => (what === 'captions' ? 'Captions are running.' : `${article(what)} ${what} is running.`)),
      ...(joining ? [`Who joins is muted, since ${time(joining.at)} by ${joining.by}.`] : []),
      ...(isMuted ? ['Who was muted may have unmuted since: OpenTok does not tell.'] : []),
      ...(this.deeds.has('ban') && persons.some(({ bannable }) => !bannable) ? [NOT_BANNABLE] : []),
      ...(hasMoreBans ? [`There are more bans: the newest ${bans.length} are shown.`] : []),
    ];
    this.find('running').replaceChildren(...facts.map((fact) => element('li', fact)));
    const rows = [
      ...guests.map(({ id, name }) => ['guest', id, name, 'waits to be let in', [['Let in', 'admit', id], ['Turn away', 'refuse', id]]]),
      ...people.map((person) => this.person(person)),
      ...streams.map((stream) => ['stream', stream.id, stream.name || 'No name', `publishes ${shown(stream)}`, [['Mute', 'mute', stream.id]]]),
      ...bans.map(({ id, name, ends }) => ['ban', id, name, ends ? 'banned until the meeting ends' : 'banned for good', [['Lift the ban', 'lift', id]]]),
    ];
    this.update(rows);
    this.rows.parentElement.hidden = rows.length === 0;
  }

  person({ id, name, bot, bannable, since, streams }) {
    const who = bot || name || `No name (${id.slice(0, 8)})`;
    const kinds = streams.map(shown).join(' and ');
    const mutes = streams.map((stream) => [streams.length > 1 ? `Mute ${stream.kind}` : 'Mute', 'mute', stream.id]);
    const bans = bannable ? [['Ban for this meeting', 'ban-for-now', id], ['Ban for good', 'ban', id]] : [];
    const deeds = [...mutes, ['Remove', 'remove', id], ...bans];
    return ['person', id, who, `${kinds ? `publishes ${kinds}, ` : ''}here since ${time(since)}`, deeds];
  }

  /* Rows that stay as they are are left alone, and so is the focus on their buttons. The focus of a row
     that goes moves to the line above the table. */
  update(rows) {
    const wanted = new Map(rows.map((row) => [JSON.stringify(row), row]));
    const had = this.rows.contains(document.activeElement);
    for (const row of [...this.rows.children]) {
      if (!wanted.has(row.dataset.key)) row.remove();
    }
    const kept = new Map([...this.rows.children].map((row) => [row.dataset.key, row]));
    let place = this.rows.firstElementChild;
    for (const [key, row] of wanted) {
      if (kept.has(key) && kept.get(key) === place) place = place.nextElementSibling;
      else this.rows.insertBefore(kept.get(key) || this.row(key, row), place);
    }
    if (had && !this.rows.contains(document.activeElement)) this.find('status').focus();
  }

  row(key, [, , who, what, deeds]) {
    const row = document.createElement('tr');
    row.dataset.key = key;
    row.append(element('td', who), element('td', what));
    if (this.deeds.size === 0) return row; // and the table has no column for them
    const last = document.createElement('td');
    const may = deeds.filter(([, deed]) => this.deeds.has(deed));
    last.append(...may.map(([label, deed, id]) => this.button(label, deed, id, who)));
    row.append(last);
    return row;
  }

  button(label, deed, id, who) {
    const button = element('button', label);
    button.type = 'button';
    button.setAttribute('aria-label', `${label}: ${who}`);
    button.addEventListener('click', async () => {
      if (ASKS[deed] && !window.confirm(ASKS[deed].replace('%', who))) return;
      if (button.ariaDisabled === 'true') return;
      button.ariaDisabled = 'true'; // and not disabled, which would lose the focus
      await this.post(`${deed}/${id}/`);
      button.ariaDisabled = 'false';
    });
    return button;
  }

  /* Whether it was done; what keeps it from that is shown. */
  async post(path, fields = {}) {
    const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
    const body = new URLSearchParams(fields);
    const told = await ask(this.address + path, { method: 'POST', headers: { 'X-CSRFToken': token }, body })
      .catch(({ message }) => ({ problem: `That was not done. ${message}` }));
    const { problem, done } = told;
    await this.look();
    this.find('status').textContent = problem || `${done} ${this.find('status').textContent}`;
    return !problem;
  }

  async sendMessage() {
    const field = this.find('text');
    if (field.value.trim() && await this.post('signal/all/', { text: field.value })) field.value = '';
    field.focus();
  }
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/* What the server says, or an Error that says why it says nothing. */
async function ask(address, options) {
  const response = await fetch(address, options).catch(() => { throw new Error('The server cannot be reached.'); });
  if (response.redirected) throw new Error('You are logged out: reload the page.');
  if (response.status === 403) throw new Error('You may not do that, or have logged in again since: reload the page.');
  if (response.status === 404) throw new Error('That is not there any more: reload the page.');
  if (!response.ok) throw new Error(`The server answered with an error (${response.status}).`);
  return response.json();
}

function article(word) {
  return /^[aeiou]/.test(word) ? 'An' : 'A';
}

function shown({ kind, muted }) {
  return muted ? `${kind} (muted by ${muted.by}, ${time(muted.at)})` : kind;
}

function time(milliseconds) {
  return milliseconds ? new Date(milliseconds).toLocaleTimeString('en-GB', { timeStyle: 'short', timeZone: ZONE }) : 'a while';
}
