/* Chat: signals of the type "chat", each a JSON object with a name and a text. */

const TYPE = 'chat';

export class Chat {
  constructor(find, session, complain) {
    this.find = find;
    this.session = session;
    this.complain = complain;
    this.name = '';
    this.bound = new AbortController();
    this.handlers = { [`signal:${TYPE}`]: (event) => this.show(event) };
    session.on(this.handlers);
    find('say').addEventListener('submit', (event) => this.send(event), { signal: this.bound.signal });
  }

  send(event) {
    event.preventDefault();
    const field = this.find('text');
    const text = field.value.trim();
    if (!text) return;
    this.session.signal({ type: TYPE, data: JSON.stringify({ name: this.name, text }) }, (error) => {
      if (error) this.complain(error.message);
      else field.value = '';
    });
  }

  show({ data }) {
    const { name, text } = read(data);
    const item = document.createElement('li');
    const who = document.createElement('b');
    who.textContent = name;
    const what = document.createElement('div');
    what.textContent = text;
    who.dir = what.dir = 'auto';
    item.append(who, what);
    this.find('messages').append(item);
    this.scroll();
    if (this.find('chat').hidden) this.find('show-chat').textContent = 'Chat (new)';
  }

  /* To the last message; the page around the list stays where it is. */
  scroll() {
    this.find('messages').scrollTop = this.find('messages').scrollHeight;
  }

  toggle() {
    const isOpen = this.find('chat').hidden;
    this.open(isOpen);
    if (isOpen) this.find('text').focus();
  }

  open(is) {
    this.find('chat').hidden = !is;
    this.find('show-chat').setAttribute('aria-expanded', String(is));
    this.find('show-chat').textContent = 'Chat';
    this.scroll();
  }

  close() {
    this.session.off(this.handlers);
    this.bound.abort();
    this.find('messages').replaceChildren();
    this.open(false);
  }
}

/* Other clients may send plain text. */
function read(data) {
  try {
    const { name, text } = JSON.parse(data);
    if (typeof text === 'string') return { name: String(name || 'Guest'), text };
  } catch { /* it is text */ }
  return { name: 'Guest', text: String(data ?? '') };
}
