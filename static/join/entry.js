/* The way in: what /room/<name> answers to this person, and what it asks for first. */

const WAITED_AT_LEAST = 2;

export class Entry {
  /* `segment` is the room's name as it is in an address; an invitation stands behind the #. */
  constructor(segment, hash) {
    this.segment = segment;
    this.invitation = hash.startsWith('#invite_') ? hash.slice(1) : '';
    this.ticket = '';
  }

  /* The credentials, once a moderator lets the person in, where the room has a waiting room. */
  async credentials({ name, code, agrees }, onWait) {
    let hasAsked = false;
    for (;;) {
      try {
        return await this.ask('GET', `/room/${this.segment}`, { code, agrees });
      } catch (problem) {
        if (problem.code === 'admission_required' && !hasAsked) {
          hasAsked = true;
          this.ticket = (await this.ask('POST', `/waiting/${this.segment}`, { code, agrees }, { name })).ticket;
        } else if (problem.code === 'admission_pending') {
          onWait();
          await pause(Math.max(problem.wait, WAITED_AT_LEAST));
        } else {
          if (problem.code === 'admission_refused') this.ticket = '';
          throw problem;
        }
      }
    }
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
    const response = await fetch(address + query, { method, headers, cache: 'no-store', body: body && JSON.stringify(body) });
    const told = await response.json().catch(() => ({}));
    if (response.ok) return told;
    const problem = new Error(sentence(told));
    problem.code = told.code;
    problem.wait = Number(response.headers.get('Retry-After')) || 0;
    throw problem;
  }
}

/* The server's own, but times in the person's time zone, and a box to tick in place of a header. */
function sentence({ code, detail, opensAt, closedAt }) {
  if (code === 'consent_required') return 'Say first whether you agree to being recorded.';
  if (opensAt) return `This room opens on ${local(opensAt)}. Please come back then.`;
  if (closedAt) return `This room closed on ${local(closedAt)}. Ask whoever invited you for another one.`;
  return detail || 'The server cannot be reached. Try again in a moment.';
}

function local(moment) {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'short' }).format(new Date(moment));
}

function pause(seconds) {
  return new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
}
