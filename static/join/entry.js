/* The way in: what /room/<name> answers to this person, and what it asks for first. */

const WAITED_AT_LEAST = 2;
// Of answers after which a guest goes on waiting.
const PASSING = new Set([429, 500, 502, 503, 504]);

export class Entry {
  /* `segment` is the room's name as it is in an address. */
  constructor(segment) {
    this.segment = segment;
    this.invitation = invitation(`invitation-${segment}`);
    this.ticket = '';
  }

  /* The credentials, once a moderator lets the person in, where the room has a waiting room. */
  async credentials({ name, code, agrees }, onWait) {
    let hasAsked = false;
    this.waiting = null;
    try {
      for (;;) {
        try {
          return await this.ask('GET', `/room/${this.segment}`, { code, agrees });
        } catch (problem) {
          if (problem.code === 'admission_required' && !hasAsked) {
            hasAsked = true;
            await this.askToBeLetIn({ name, code, agrees });
          } else if (problem.code === 'admission_pending' || (this.waiting && PASSING.has(problem.status))) {
            hasAsked = false; // a ticket may end before it is used
            if (!this.waiting) {
              this.waiting = new AbortController();
              onWait();
            }
            await pause(Math.max(problem.wait, WAITED_AT_LEAST), this.waiting.signal);
          } else {
            if (problem.code === 'admission_refused') this.ticket = '';
            throw problem;
          }
        }
      }
    } finally {
      this.waiting = null;
    }
  }

  /* A room that has no waiting room any more can be joined immediately. */
  async askToBeLetIn({ name, code, agrees }) {
    try {
      this.ticket = (await this.ask('POST', `/waiting/${this.segment}`, { code, agrees }, { name })).ticket;
    } catch (problem) {
      if (problem.code !== 'admission_not_required') throw problem;
    }
  }

  /* Wait no more; nothing for somebody who does not wait. The request outlives the page. */
  cancel() {
    if (!this.waiting) return;
    const headers = { 'X-Ticket': this.ticket };
    if (this.invitation) headers.Authorization = `Bearer ${this.invitation}`;
    fetch(`/waiting/${this.segment}`, { method: 'DELETE', headers, keepalive: true }).catch(() => {});
    this.ticket = '';
    this.waiting.abort();
  }

  /* What the server answers, or the problem that it is. */
  async ask(method, address, { code, agrees }, body) {
    const headers = { Accept: 'application/json' };
    let query = '';
    // Proxies write addresses into their logs, but a header takes no other letters.
    if (/^[\x21-\x7e]+$/.test(code)) headers['X-Access-Code'] = code;
    else if (code) query = `?code=${encodeURIComponent(code)}`;
    if (agrees) headers['X-Recording-Consent'] = 'yes';
    if (this.invitation) headers.Authorization = `Bearer ${this.invitation}`;
    if (this.ticket) headers['X-Ticket'] = this.ticket;
    if (body) headers['Content-Type'] = 'application/json';
    const options = { method, headers, cache: 'no-store', body: body && JSON.stringify(body), signal: this.waiting?.signal };
    const response = await fetch(address + query, options).catch(() => new Response('{}', { status: 503 }));
    const told = await response.json().catch(() => ({}));
    if (this.waiting?.signal.aborted) throw cancelled();
    if (response.ok) return told;
    const problem = new Error(sentence(told));
    problem.code = told.code;
    problem.status = response.status;
    problem.wait = Number(response.headers.get('Retry-After')) || 0;
    throw problem;
  }
}

/* The server's own, but times in the person's time zone, and a box to tick in place of a header. */
function sentence({ code, detail, opensAt, closedAt }) {
  if (code === 'consent_required') return 'To join, tick that you agree to being recorded.';
  if (code === 'access_code_required') return 'This room has an access code. Enter it and join.';
  if (code === 'key_required') return 'Only people with an invitation can join. Open the link that you were sent.';
  if (code === 'room_unknown') return 'There is no room with this name. Check the link that you were sent.';
  if (opensAt) return `This room opens on ${local(opensAt)}. Please come back then.`;
  if (closedAt) return `This room closed on ${local(closedAt)}. Ask the person who invited you for another one.`;
  return detail || 'The server cannot be reached. Try again in a moment.';
}

/* From behind the #, where the SDK would read it and tell OpenTok's logs; kept for a reload. */
function invitation(key) {
  const given = location.hash.startsWith('#invite_') ? location.hash.slice(1) : '';
  try {
    if (given) sessionStorage.setItem(key, given);
    return sessionStorage.getItem(key) || '';
  } catch {
    return given;
  } finally {
    if (given) history.replaceState(null, '', location.pathname + location.search);
  }
}

function local(moment) {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'short' }).format(new Date(moment));
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const clock = setTimeout(resolve, seconds * 1000);
    signal.addEventListener('abort', () => {
      clearTimeout(clock);
      reject(cancelled());
    });
  });
}

function cancelled() {
  return Object.assign(new Error('You no longer wait to be let in.'), { code: 'cancelled' });
}
