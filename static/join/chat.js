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
    item.append(who, text);
    this.find('messages').append(item);
    item.scrollIntoView({ block: 'nearest' });
    if (this.find('chat').hidden) this.find('show-chat').textContent = 'Chat (new)';
  }

  toggle() {
    const chat = this.find('chat');
    chat.hidden = !chat.hidden;
    this.find('show-chat').setAttribute('aria-expanded', String(!chat.hidden));
    this.find('show-chat').textContent = 'Chat';
    if (!chat.hidden) this.find('text').focus();
  }

  close() {
    this.session.off(this.handlers);
    this.bound.abort();
    this.find('messages').replaceChildren();
    this.find('chat').hidden = true;
    this.find('show-chat').setAttribute('aria-expanded', 'false');
  }
}

/* Other clients may send plain text. */
function read(data) {
  try {
    const told = JSON.parse(data);
    return { name: String(told.name || 'Guest'), text: String(told.text ?? '') };
  } catch {
    return { name: 'Guest', text: String(data) };
  }
}
