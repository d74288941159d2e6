/* The first page of the admin asks for its parts again while somebody looks at them. */

'use strict';

document.addEventListener('DOMContentLoaded', () => {
  for (const element of document.querySelectorAll('#dashboard [data-part]')) new Part(element);
});

class Part {
  constructor(element) {
    this.element = element;
    this.every = Number(element.dataset.seconds) * 1000;
    this.asked = Date.now();
    this.status = document.getElementById('dashboard-status');
    document.addEventListener('visibilitychange', () => this.plan());
    this.plan();
  }

  plan() {
    clearTimeout(this.clock);
    if (document.hidden) return;
    this.clock = setTimeout(() => this.look(), Math.max(this.asked + this.every - Date.now(), 0));
  }

  async look() {
    this.asked = Date.now();
    let answer;
    try {
      answer = await fetch(this.element.dataset.part, { signal: AbortSignal.timeout(this.every) });
      if (answer.ok && !answer.redirected) this.show(await answer.text());
      else this.say(answer);
    } catch {
      this.status.textContent = 'The server cannot be reached. What is shown may be old.';
    }
    this.plan();
  }

  say(answer) {
    if (answer.redirected || answer.status === 403) {
      const link = document.createElement('a');
      link.href = this.status.dataset.logIn;
      link.textContent = 'Log in again.';
      this.status.replaceChildren('You are logged out. ', link);
    } else {
      this.status.textContent = `The server answered with an error (${answer.status}). What is shown may be old.`;
    }
  }

  /* The focus, and what is open, stay as they are. */
  show(html) {
    this.status.textContent = '';
    if (html === this.shown) return;
    this.shown = html;
    const open = [...this.element.querySelectorAll('details[open]')].map(({ id }) => id);
    const focused = this.element.contains(document.activeElement) ? document.activeElement.id : '';
    this.element.innerHTML = html;
    for (const id of open) document.getElementById(id)?.setAttribute('open', '');
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
}
