/* Looks again whether a recording can be watched. The page is loaded anew once there is other news:
   a reload each few seconds would begin a screen reader's reading again. */

'use strict';

document.addEventListener('DOMContentLoaded', () => lookLater(document));

function lookLater(page) {
  setTimeout(look, 1000 * page.querySelector('[data-refresh]').dataset.refresh);
}

async function look() {
  const answer = await fetch(location.href, { redirect: 'manual', headers: { Accept: 'text/html' } }).catch(() => null);
  if (!answer || answer.status === 429 || answer.status >= 500) {
    lookLater(document);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html'); // empty of a redirect
  const isPending = page.querySelector('[data-refresh]');
  if (!isPending || page.title !== document.title) {
    location.reload();
    return;
  }
  document.getElementById('elapsed').textContent = page.getElementById('elapsed').textContent;
  lookLater(page);
}
