/* The join page: a lobby, and then the call. It asks this server for credentials as every client does. */

import { Call } from './call.js';
import { Entry } from './entry.js';
import { Lobby } from './lobby.js';

const page = document.querySelector('#page');
const { segment, proxy, sdk } = page.dataset;
const find = (id) => document.getElementById(id);

function say(text) {
  find('status').textContent = text;
}

function complain(text) {
  find('problem').textContent = text;
}

const lobby = new Lobby(find);
const entry = new Entry(segment);
let clock;

/* The SDK is large, and comes from elsewhere: the page does not wait for it. It is told once where to ask. */
function load() {
  const script = document.createElement('script');
  script.src = sdk;
  const loading = new Promise((resolve, reject) => {
    script.addEventListener('load', () => {
      if (proxy) window.OT.setProxyUrl(proxy);
      resolve();
    });
    script.addEventListener('error', () => {
      loaded = null;
      reject(new Error('The video software could not be loaded. Check your connection and try again.'));
    });
  });
  loading.catch(() => {}); // said to those who join
  document.head.append(script);
  return loading;
}

let loaded = load();

async function enter(event) {
  event.preventDefault();
  complain('');
  say('Loading the video software…');
  stopCountDown();
  find('enter').disabled = true;
  try {
    await (loaded ??= load());
    say('Joining…');
    const person = { name: lobby.name, code: find('code').value.trim(), agrees: find('consent').checked };
    const told = await entry.credentials(person, wait);
    find('cancel').hidden = true;
    lobby.remember();
    say('Waiting for camera and microphone… If your browser asks, allow or refuse them.');
    await lobby.ready;
    const devices = lobby.devices();
    // Some cameras serve one user at a time.
    lobby.stop();
    const call = new Call(told, { find, say, complain, onEnd: left });
    if (!await call.join({ name: person.name, ...devices })) return;
    show('call');
    say('You are in the call.');
    page.querySelector('.controls button:enabled').focus();
  } catch (error) {
    say('');
    refused(error);
    if (!lobby.stream) lobby.start();
  } finally {
    find('enter').disabled = false;
    stopWaiting();
    // A button that is disabled loses the focus.
    if (document.activeElement === document.body) find('enter').focus();
  }
}

function wait() {
  say('Waiting to be let in by a moderator…');
  find('cancel').hidden = false;
  find('cancel').focus();
}

function stopWaiting() {
  const cancel = find('cancel');
  if (document.activeElement === cancel) find('enter').focus();
  cancel.hidden = true;
}

function refused(error) {
  if (error.code === 'cancelled') {
    say(error.message);
    return;
  }
  complain(error.message);
  if (error.code === 'access_code_required' || error.code === 'access_code_wrong') {
    find('code-field').hidden = false;
    find('code').focus();
  } else if (error.code === 'consent_required') {
    find('consent-field').hidden = false;
    find('consent').focus();
  } else if (error.code === 'room_not_open_yet' && error.wait) {
    countDown(Date.now() + error.wait * 1000);
  }
}

/* Its text is no live region: a screen reader would read every second. */
function countDown(until) {
  const seconds = Math.ceil((until - Date.now()) / 1000);
  if (seconds <= 0) {
    stopCountDown();
    complain('');
    say('The room is open now.');
    return;
  }
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  find('countdown').textContent = `Opens in ${parts.map((part) => String(part).padStart(2, '0')).join(':')}.`;
  clock = setTimeout(() => countDown(until), 1000);
}

function stopCountDown() {
  clearTimeout(clock);
  find('countdown').textContent = '';
}

function left(reason) {
  show('lobby');
  say(reason);
  lobby.start();
  find('enter').focus();
}

function show(part) {
  find('lobby').hidden = part !== 'lobby';
  find('call').hidden = part !== 'call';
}

find('copy').addEventListener('click', async () => {
  const link = `${location.origin}${location.pathname}`;
  try {
    await navigator.clipboard.writeText(link);
    say('The link is copied.');
  } catch {
    say(`The link of this room: ${link}`);
  }
});
find('lobby').addEventListener('submit', enter);
find('cancel').addEventListener('click', () => entry.cancel());
window.addEventListener('pagehide', () => entry.cancel());
// Before this, the browser itself would send the form, and the code in an address.
find('enter').disabled = false;
// Another invitation, opened in the same tab.
window.addEventListener('hashchange', () => location.reload());
lobby.start();
